{{ config(
    order_by=['account_key', 'platform_key', 'event_date', 'platform', 'account_id'],
    partition_by='toStartOfMonth(event_date)',
) }}

{{ account_days_select(source('cleaned', 'profiles'), only=days()) }}
