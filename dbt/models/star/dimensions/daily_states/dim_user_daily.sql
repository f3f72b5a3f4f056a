{{ config(order_by=['user_key', 'user_id']) }}

(
    {{ dim_user_select('video_interactions', source('cleaned', 'video_interactions'), only=days()) }}
)
union all
(
    {{ dim_user_select('live_streaming', source('cleaned', 'live_streaming'), only=days()) }}
)
union all
(
    {{ dim_user_select('community_interactions', source('cleaned', 'community_interactions'), only=days()) }}
)
union all
(
    {{ dim_user_select('engagement_events', source('cleaned', 'engagement_events'), only=days()) }}
)
