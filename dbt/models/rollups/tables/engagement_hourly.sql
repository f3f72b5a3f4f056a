{{ config(
    order_by=['account_key', 'post_key', 'platform_key', 'metric_type', 'event_hour'],
    index_granularity=1024,
) }}

{{ engagement_hourly_select(ref('fact_engagement'), only=days()) }}
