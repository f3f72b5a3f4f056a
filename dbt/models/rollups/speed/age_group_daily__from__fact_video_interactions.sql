{{ materialization_target_table(ref('age_group_daily')) }}
{{ age_group_daily_select('video_interactions', ref('fact_video_interactions')) }}
