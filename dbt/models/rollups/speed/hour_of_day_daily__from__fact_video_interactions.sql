{{ materialization_target_table(ref('hour_of_day_daily')) }}
{{ hour_of_day_daily_select('video_interactions', ref('fact_video_interactions')) }}
