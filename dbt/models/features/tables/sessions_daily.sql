-- The same days as those of the sessions that a run rebuilds.
{{ config(engine='AggregatingMergeTree', order_by=['platform_key'], days_before=2, days_after=1) }}

with sessions_of_days as (
    select
        event_date,
        platform_key,
        user_key,
        minutes,
        events,
        items,
        is_bounce
    from {{ ref('sessions') }}
    {{ days() }}
)

select
    event_date,
    platform_key,
    sumSimpleState(toUInt64(1)) as sessions,
    sumSimpleState(toUInt64(is_bounce)) as bounces,
    sumSimpleState(minutes) as minutes_sum,
    sumSimpleState(events) as events_sum,
    sumSimpleState(items) as items_sum,
    {{ users_state() }} as users
from sessions_of_days
group by
    event_date,
    platform_key
