{{ materialization_target_table(ref('post_counter_increments')) }}
{{ post_counter_increments_select(source('cleaned', 'post_counters'), ref('collected_counters')) }}
