{{ config(
    partition_by='toStartOfMonth(event_date)',
    order_by=['account_key', 'event_date', 'event_hour', 'platform_key', 'metric_type'],
    index_granularity=256,
) }}

{{ engagement_account_hourly_select(ref('engagement_hourly'), only=days()) }}
