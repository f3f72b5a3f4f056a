{{ materialization_target_table(ref('fact_engagement')) }}
{{ fact_engagement_select(source('cleaned', 'engagement_events')) }}
