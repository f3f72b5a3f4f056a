{{ config(
    partition_by='toStartOfMonth(event_date)',
    order_by=['event_date', 'event_hour', 'platform_key', 'metric_type'],
    index_granularity=256,
    days_at_once=3,
) }}

{{ engagement_platform_hourly_select(ref('engagement_account_hourly'), only=days()) }}
