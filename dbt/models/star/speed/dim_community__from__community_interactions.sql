{{ materialization_target_table(ref('dim_community_daily')) }}
{{ dim_community_select('community_interactions', source('cleaned', 'community_interactions')) }}
