{{ materialization_target_table(ref('platform_daily')) }}
{{ platform_daily_select('engagement_events', ref('fact_engagement')) }}
