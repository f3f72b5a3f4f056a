{{ config(
    partition_by='toStartOfMonth(event_date)',
    order_by=['event_date', 'platform_key'],
    index_granularity=256,
    days_at_once=30,
) }}

{{ engagement_users_daily_select(ref('engagement_platform_hourly'), only=days()) }}
