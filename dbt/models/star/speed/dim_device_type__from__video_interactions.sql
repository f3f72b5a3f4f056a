{{ materialization_target_table(ref('dim_device_type_daily')) }}
{{ dim_device_type_select('video_interactions', source('cleaned', 'video_interactions')) }}
