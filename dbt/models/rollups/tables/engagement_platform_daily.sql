{{ config(
    partition_by='toStartOfMonth(event_date)',
    order_by=['event_date', 'platform_key', 'metric_type'],
    index_granularity=256,
    days_at_once=30,
) }}

{{ engagement_platform_daily_select(ref('engagement_platform_hourly'), only=days()) }}
