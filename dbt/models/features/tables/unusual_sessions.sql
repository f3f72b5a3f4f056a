-- The same days as those of the sessions that a run rebuilds. Their events are also on the day after.
{{ config(
    order_by=['platform_key', 'event_time', 'user_key'],
    days_before=2,
    days_after=1,
    days_at_once=2,
) }}

{% set limits = unusual_session_limits() %}

with busy_sessions as (
    select
        event_date,
        event_time,
        ended_at,
        platform_key,
        user_key,
        minutes,
        events,
        items
    from {{ ref('sessions') }}
    {{ days() }} and events >= {{ limits['least_events'] }}
),

active as (
    {{ user_events_select(days_around()) }}
),

minutes_of_users as (
    select
        toDate(toStartOfMinute(event_time), 'UTC') as event_date,
        platform_key,
        user_key,
        toStartOfMinute(event_time) as minute,
        count() as events
    from active
    group by
        event_date,
        platform_key,
        user_key,
        minute
),

medians as (
    select
        event_date,
        platform_key,
        quantileExact(0.5)(events) as typical_events
    from minutes_of_users
    group by
        event_date,
        platform_key
),

deviations as (
    select
        minutes_of_users.event_date as event_date,
        minutes_of_users.platform_key as platform_key,
        any(medians.typical_events) as typical_events,
        quantileExact(0.5)(
            abs(toInt64(minutes_of_users.events) - toInt64(medians.typical_events))
        ) as deviation
    from minutes_of_users
    inner join medians
        on
            minutes_of_users.event_date = medians.event_date
            and minutes_of_users.platform_key = medians.platform_key
    group by
        event_date,
        platform_key
),

paces as (
    select
        busy_sessions.event_date as event_date,
        busy_sessions.event_time as began_at,
        busy_sessions.platform_key as platform_key,
        busy_sessions.user_key as user_key,
        any(busy_sessions.minutes) as minutes,
        any(busy_sessions.events) as events,
        any(busy_sessions.items) as items,
        arraySort(groupArray(toUnixTimestamp64Micro(active.event_time))) as times,
        arrayMax(mapValues(sumMap(map(toStartOfMinute(active.event_time), toUInt64(1))))) as busiest_minute
    from busy_sessions
    inner join active
        on
            busy_sessions.platform_key = active.platform_key
            and busy_sessions.user_key = active.user_key
    where
        active.event_time between busy_sessions.event_time and busy_sessions.ended_at
    group by
        event_date,
        began_at,
        platform_key,
        user_key
),

gaps as (
    select
        event_date,
        began_at,
        platform_key,
        user_key,
        minutes,
        events,
        items,
        busiest_minute,
        arrayPopFront(arrayDifference(times)) as microseconds,
        arrayReduce('quantileExact(0.5)', microseconds) / 1e6 as median_gap_seconds,
        arrayReduce('stddevPop', microseconds) as spread,
        if(spread = 0, 0, spread / arrayReduce('avg', microseconds)) as gap_variation
    from paces
),

compared as (
    select
        gaps.event_date as event_date,
        gaps.began_at as began_at,
        gaps.platform_key as platform_key,
        gaps.user_key as user_key,
        gaps.minutes as minutes,
        gaps.events as events,
        gaps.items as items,
        gaps.busiest_minute as busiest_minute,
        deviations.typical_events as typical_minute,
        gaps.median_gap_seconds as median_gap_seconds,
        gaps.gap_variation as gap_variation,
        (toInt64(gaps.busiest_minute) - toInt64(deviations.typical_events))
        / (1.4826 * greatest(deviations.deviation, 1)) as robust_deviations,
        robust_deviations >= {{ limits['deviations'] }} as is_burst,
        gaps.items >= {{ limits['least_events'] }}
        and gaps.median_gap_seconds < {{ limits['fast_seconds'] }} as is_too_fast,
        gaps.events >= {{ limits['least_regular_events'] }}
        and gaps.median_gap_seconds >= {{ limits['fast_seconds'] }}
        and gaps.gap_variation <= {{ limits['gap_variation'] }} as is_regular
    from gaps
    inner join deviations
        on
            gaps.event_date = deviations.event_date
            and gaps.platform_key = deviations.platform_key
)

select
    event_date,
    began_at as event_time,
    platform_key,
    user_key,
    multiIf(is_too_fast, 'too_fast', is_regular, 'regular', 'burst') as kind,
    toUInt8(is_burst) as is_burst,
    toUInt8(is_too_fast) as is_too_fast,
    toUInt8(is_regular) as is_regular,
    minutes,
    events,
    items,
    busiest_minute,
    toUInt64(typical_minute) as typical_minute,
    robust_deviations,
    median_gap_seconds,
    gap_variation
from compared
where is_burst or is_too_fast or is_regular
