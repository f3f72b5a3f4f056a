{{ config(order_by=['platform_key', 'platform']) }}

(
    {{ dim_platform_select('video_interactions', source('cleaned', 'video_interactions'), only=days()) }}
)
union all
(
    {{ dim_platform_select('live_streaming', source('cleaned', 'live_streaming'), only=days()) }}
)
union all
(
    {{ dim_platform_select('community_interactions', source('cleaned', 'community_interactions'), only=days()) }}
)
union all
(
    {{ dim_platform_select('engagement_events', source('cleaned', 'engagement_events'), only=days()) }}
)
union all
(
    {{ dim_platform_select('posts', source('cleaned', 'posts'), only=days()) }}
)
union all
(
    {{ dim_platform_select('profiles', source('cleaned', 'profiles'), only=days()) }}
)
