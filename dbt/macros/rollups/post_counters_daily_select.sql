{#- Partial sums of increments by post, counter and day; `only` keeps some days of `increments`. -#}
{% macro post_counters_daily_select(increments, only='') %}
with changes as (
    select
        event_date,
        account_key,
        post_key,
        platform_key,
        counter,
        -- What a post had at first is new or not by the time of its first collection.
        if(initial != 0, collected_at, toDateTime64('1970-01-01 00:00:00', 6, 'UTC')) as first_at,
        initial,
        added,
        taken_back
    from {{ increments }}
    {{ only }}
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
