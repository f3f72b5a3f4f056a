{{ materialization_target_table(ref('fact_live_streaming_interactions')) }}
{{ fact_live_streaming_interactions_select(source('cleaned', 'live_streaming')) }}
