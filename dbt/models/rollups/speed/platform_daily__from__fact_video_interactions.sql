{{ materialization_target_table(ref('platform_daily')) }}
{{ platform_daily_select('video_interactions', ref('fact_video_interactions')) }}
