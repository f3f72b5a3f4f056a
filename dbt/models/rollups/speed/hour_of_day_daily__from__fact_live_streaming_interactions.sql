{{ materialization_target_table(ref('hour_of_day_daily')) }}
{{ hour_of_day_daily_select('live_streaming', ref('fact_live_streaming_interactions')) }}
