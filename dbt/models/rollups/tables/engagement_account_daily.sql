{{ config(
    partition_by='toStartOfMonth(event_date)',
    order_by=['account_key', 'event_date', 'platform_key', 'metric_type'],
    index_granularity=256,
) }}

{{ engagement_account_daily_select(ref('engagement_account_hourly'), only=days()) }}
