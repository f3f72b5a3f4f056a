{{ materialization_target_table(ref('platform_daily')) }}
{{ platform_daily_select('community_interactions', ref('fact_community_interactions')) }}
