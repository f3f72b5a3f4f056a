{{ materialization_target_table(ref('dim_platform_daily')) }}
{{ dim_platform_select('engagement_events', source('cleaned', 'engagement_events')) }}
