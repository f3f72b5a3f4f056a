{{ materialization_target_table(ref('age_group_daily')) }}
{{ age_group_daily_select('community_interactions', ref('fact_community_interactions')) }}
