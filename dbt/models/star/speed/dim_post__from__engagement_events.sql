{{ materialization_target_table(ref('dim_post_daily')) }}
{{ dim_post_select('engagement_events', source('cleaned', 'engagement_events')) }}
