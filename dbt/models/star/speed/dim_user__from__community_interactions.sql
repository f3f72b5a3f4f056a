{{ materialization_target_table(ref('dim_user_daily')) }}
{{ dim_user_select('community_interactions', source('cleaned', 'community_interactions')) }}
