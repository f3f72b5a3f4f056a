{{ materialization_target_table(ref('dim_platform_daily')) }}
{{ dim_platform_select('community_interactions', source('cleaned', 'community_interactions')) }}
