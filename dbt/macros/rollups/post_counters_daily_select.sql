{#- Partial sums of increments by post, counter and day; `only` keeps some days of `increments`. -#}
{% macro post_counters_daily_select(increments, only='') %}
with changes as (
    select
        event_date,
        account_key,
        post_key,
        platform_key,
        counter,
        -- What a post had at first is new or not by the time of its first collection. A correction
        -- may take that back and add an increment, which has no such time.
        arrayJoin(arrayFilter(
            part -> part.1 = later or part.2 != 0,
            [(later, toInt64(0), added, taken_back), (collected_at, initial, toInt64(0), toInt64(0))]
        )) as part,
        toDateTime64('1970-01-01 00:00:00', 6, 'UTC') as later
    from {{ increments }}
    {{ only }}
),

parts as (
    select
        event_date,
        account_key,
        post_key,
        platform_key,
        counter,
        part.1 as first_at,
        part.2 as initial,
        part.3 as added,
        part.4 as taken_back
    from changes
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
from parts
group by
    event_date,
    account_key,
    post_key,
    platform_key,
    counter,
    first_at
{% endmacro %}
