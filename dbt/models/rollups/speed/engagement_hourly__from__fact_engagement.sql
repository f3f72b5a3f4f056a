{{ materialization_target_table(ref('engagement_hourly')) }}
{{ engagement_hourly_select(ref('fact_engagement')) }}
