{{ materialization_target_table(ref('video_watch_reason_daily')) }}
{{ video_watch_reason_daily_select(ref('fact_video_interactions')) }}
