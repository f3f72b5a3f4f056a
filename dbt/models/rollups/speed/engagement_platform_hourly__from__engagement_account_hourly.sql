{{ materialization_target_table(ref('engagement_platform_hourly')) }}
{{ engagement_platform_hourly_select(ref('engagement_account_hourly')) }}
