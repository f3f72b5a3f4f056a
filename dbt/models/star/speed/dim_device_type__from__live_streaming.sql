{{ materialization_target_table(ref('dim_device_type_daily')) }}
{{ dim_device_type_select('live_streaming', source('cleaned', 'live_streaming')) }}
