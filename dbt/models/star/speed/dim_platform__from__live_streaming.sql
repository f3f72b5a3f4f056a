{{ materialization_target_table(ref('dim_platform_daily')) }}
{{ dim_platform_select('live_streaming', source('cleaned', 'live_streaming')) }}
