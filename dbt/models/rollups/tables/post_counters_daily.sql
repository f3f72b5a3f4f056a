{{ config(
    order_by=['account_key', 'post_key', 'platform_key', 'counter', 'event_date', 'first_at'],
    partition_by='toStartOfMonth(event_date)',
    changes_later_days=['account_key', 'post_key', 'platform_key', 'counter'],
    index_granularity=1024,
) }}

{{ post_counters_daily_select(ref('post_counter_increments'), only=days()) }}
