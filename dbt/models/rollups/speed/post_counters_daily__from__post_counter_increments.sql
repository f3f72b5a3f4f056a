{{ materialization_target_table(ref('post_counters_daily')) }}
{{ post_counters_daily_select(ref('post_counter_increments')) }}
