{{ materialization_target_table(ref('dim_platform_daily')) }}
{{ dim_platform_select('video_interactions', source('cleaned', 'video_interactions')) }}
