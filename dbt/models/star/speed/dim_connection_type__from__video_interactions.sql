{{ materialization_target_table(ref('dim_connection_type_daily')) }}
{{ dim_connection_type_select('video_interactions', source('cleaned', 'video_interactions')) }}
