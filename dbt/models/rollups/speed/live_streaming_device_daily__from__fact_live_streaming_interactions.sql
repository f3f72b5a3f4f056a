{{ materialization_target_table(ref('live_streaming_device_daily')) }}
{{ live_streaming_device_daily_select(ref('fact_live_streaming_interactions')) }}
