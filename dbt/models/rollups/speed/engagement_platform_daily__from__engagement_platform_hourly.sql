{{ materialization_target_table(ref('engagement_platform_daily')) }}
{{ engagement_platform_daily_select(ref('engagement_platform_hourly')) }}
