{{ materialization_target_table(ref('dim_account_daily')) }}
{{ dim_account_select('engagement_events', source('cleaned', 'engagement_events')) }}
