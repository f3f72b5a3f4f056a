{{ materialization_target_table(ref('dim_membership_status_daily')) }}
{{ dim_membership_status_select('community_interactions', source('cleaned', 'community_interactions')) }}
