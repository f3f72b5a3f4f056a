{{ materialization_target_table(ref('dim_user_daily')) }}
{{ dim_user_select('live_streaming', source('cleaned', 'live_streaming')) }}
