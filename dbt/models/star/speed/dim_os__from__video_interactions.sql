{{ materialization_target_table(ref('dim_os_daily')) }}
{{ dim_os_select('video_interactions', source('cleaned', 'video_interactions')) }}
