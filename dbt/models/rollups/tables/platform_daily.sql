{{ config(order_by=['stream', 'platform_key']) }}

(
    {{ platform_daily_select('engagement_events', ref('fact_engagement'), only=days()) }}
)
union all
(
    {{ platform_daily_select('video_interactions', ref('fact_video_interactions'), only=days()) }}
)
union all
(
    {{ platform_daily_select('live_streaming', ref('fact_live_streaming_interactions'), only=days()) }}
)
union all
(
    {{ platform_daily_select('community_interactions', ref('fact_community_interactions'), only=days()) }}
)
