{{ config(order_by=['account_key', 'account_id']) }}

(
    {{ dim_account_select('engagement_events', source('cleaned', 'engagement_events'), only=days()) }}
)
union all
(
    {{ dim_account_select('posts', source('cleaned', 'posts'), only=days()) }}
)
union all
(
    {{ dim_account_select('profiles', source('cleaned', 'profiles'), only=days()) }}
)
