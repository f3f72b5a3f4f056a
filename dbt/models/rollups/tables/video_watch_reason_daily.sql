{{ config(order_by=['watch_reason', 'platform_key']) }}

{{ video_watch_reason_daily_select(ref('fact_video_interactions'), only=days()) }}
