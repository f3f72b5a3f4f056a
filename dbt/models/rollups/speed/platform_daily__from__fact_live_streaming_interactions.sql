{{ materialization_target_table(ref('platform_daily')) }}
{{ platform_daily_select('live_streaming', ref('fact_live_streaming_interactions')) }}
