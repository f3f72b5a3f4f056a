{{ materialization_target_table(ref('engagement_account_daily')) }}
{{ engagement_account_daily_select(ref('engagement_account_hourly')) }}
