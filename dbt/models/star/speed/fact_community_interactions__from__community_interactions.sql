{{ materialization_target_table(ref('fact_community_interactions')) }}
{{ fact_community_interactions_select(source('cleaned', 'community_interactions')) }}
