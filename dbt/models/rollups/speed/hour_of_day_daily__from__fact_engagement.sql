{{ materialization_target_table(ref('hour_of_day_daily')) }}
{{ hour_of_day_daily_select('engagement_events', ref('fact_engagement')) }}
