{{ config(
    order_by=[
        'account_key', 'post_key', 'counter', 'collected_at', 'platform_key', 'platform', 'account_id', 'post_id'
    ],
    changes_later_days=['account_key', 'post_key', 'counter', 'platform_key'],
    days_at_once=7,
) }}

{{ post_counter_increments_select(
    source('cleaned', 'post_counters'), ref('collected_counters'), only=days(), until=until_last_day()
) }}
