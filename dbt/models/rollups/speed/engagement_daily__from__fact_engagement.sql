{{ materialization_target_table(ref('engagement_daily')) }}
{{ engagement_daily_select(ref('fact_engagement')) }}
