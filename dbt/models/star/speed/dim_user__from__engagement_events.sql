{{ materialization_target_table(ref('dim_user_daily')) }}
{{ dim_user_select('engagement_events', source('cleaned', 'engagement_events')) }}
