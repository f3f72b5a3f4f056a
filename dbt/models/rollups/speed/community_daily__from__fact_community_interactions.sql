{{ materialization_target_table(ref('community_daily')) }}
{{ community_daily_select(ref('fact_community_interactions')) }}
