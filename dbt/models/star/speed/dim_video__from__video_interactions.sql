{{ materialization_target_table(ref('dim_video_daily')) }}
{{ dim_video_select('video_interactions', source('cleaned', 'video_interactions')) }}
