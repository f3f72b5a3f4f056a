{{ materialization_target_table(ref('engagement_account_hourly')) }}
{{ engagement_account_hourly_select(ref('engagement_hourly')) }}
