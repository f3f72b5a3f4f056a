{{ config(order_by=['post_key', 'post_id']) }}

(
    {{ dim_post_select('engagement_events', source('cleaned', 'engagement_events'), only=days()) }}
)
union all
(
    {{ dim_post_select('posts', source('cleaned', 'posts'), only=days()) }}
)
