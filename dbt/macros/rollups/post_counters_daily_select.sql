{#- Partial sums of increments by post, counter and day; `only` keeps some days of `increments`. -#}
{% macro post_counters_daily_select(increments, only='') %}
with told as (
    select
        event_date,
        account_key,
        post_key,
        platform_key,
        counter,
        collected_at,
        initial,
        added,
        taken_back
    from {{ increments }}
    {{ only }}
),

-- What a post had at first is new or not by the time of its first collection. A correction may take
-- that back and add an increment, which has no such time.
changes as (
    select
        event_date,
        account_key,
        post_key,
        platform_key,
        counter,
        toDateTime64('1970-01-01 00:00:00', 6, 'UTC') as first_at,
        toInt64(0) as initial,
        added,
        taken_back
    from told
    union all
    select
        event_date,
        account_key,
        post_key,
        platform_key,
        counter,
        collected_at as first_at,
        initial,
        toInt64(0) as added,
        toInt64(0) as taken_back
    from told
    where initial != 0
)

select
    event_date,
    account_key,
    post_key,
    platform_key,
    counter,
    first_at,
    sumSimpleState(initial) as initial_sum,
    sumSimpleState(added) as added_sum,
    sumSimpleState(taken_back) as taken_back_sum
from changes
group by
    event_date,
    account_key,
    post_key,
    platform_key,
    counter,
    first_at
{% endmacro %}
