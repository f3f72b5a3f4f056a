{{ materialization_target_table(ref('engagement_users_daily')) }}
{{ engagement_users_daily_select(ref('engagement_platform_hourly')) }}
