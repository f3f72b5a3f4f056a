{{ config(order_by=['stream', 'platform_key', 'hour_of_day']) }}

(
    {{ hour_of_day_daily_select('engagement_events', ref('fact_engagement'), only=days()) }}
)
union all
(
    {{ hour_of_day_daily_select('video_interactions', ref('fact_video_interactions'), only=days()) }}
)
union all
(
    {{ hour_of_day_daily_select('live_streaming', ref('fact_live_streaming_interactions'), only=days()) }}
)
