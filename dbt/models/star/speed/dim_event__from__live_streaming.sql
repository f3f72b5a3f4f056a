{{ materialization_target_table(ref('dim_event_daily')) }}
{{ dim_event_select('live_streaming', source('cleaned', 'live_streaming')) }}
