{#-
  The minutes without an event after which a user's next event begins another session. An event
  exactly so many minutes after the one before still belongs to its session.
-#}
{% macro session_pause_minutes() -%}
    {{ return(30) }}
{%- endmacro %}

{#-
  One row a session of a user on a platform. `only` keeps some days of the events: the sessions of a
  day need two days before it and one after it.

  A session belongs to the day on which it begins. It may go on across one midnight. If a user is
  active through a whole day, from midnight to midnight without a pause, the session ends with that
  day, so that no session depends on more than these days. Events with equal times have no order:
  the one that begins a session counts as the first.
-#}
{% macro sessions_select(only) %}
with active as (
    {{ user_events_select(only) }}
),

compared as (
    select
        event_date,
        event_time,
        platform_key,
        user_key,
        stream,
        item_key,
        lagInFrame(toNullable(event_time)) over (
            partition by platform_key, user_key
            order by event_time
            rows between 1 preceding and current row
        ) as time_before,
        time_before is null
        or event_time > time_before + interval {{ session_pause_minutes() }} minute as is_after_pause
    from active
),

-- `day_of_pause` is the day of the last event after a pause, this one or an earlier one.
followed as (
    select
        event_date,
        event_time,
        platform_key,
        user_key,
        stream,
        item_key,
        is_after_pause,
        toDate(time_before, 'UTC') < event_date as is_first_of_day,
        max(if(is_after_pause, event_date, toDate(0))) over (
            partition by platform_key, user_key
            order by event_time, is_after_pause desc
            rows between unbounded preceding and current row
        ) as day_of_pause
    from compared
),

begun as (
    select
        event_date,
        event_time,
        platform_key,
        user_key,
        stream,
        item_key,
        is_after_pause or (is_first_of_day and day_of_pause < event_date - 1) as is_begin
    from followed
),

numbered as (
    select
        event_date,
        event_time,
        platform_key,
        user_key,
        stream,
        item_key,
        sum(toUInt64(is_begin)) over so_far as session,
        max(if(is_begin, event_date, toDate(0))) over so_far as session_date
    from begun
    window so_far as (
        partition by platform_key, user_key
        order by event_time, is_begin desc
        rows between unbounded preceding and current row
    )
),

summed as (
    select
        session_date,
        platform_key,
        user_key,
        session,
        min(event_time) as began_at,
        max(event_time) as ended_at,
        count() as events,
        countIf(event_date > session_date) as events_after_midnight,
        uniqExact(stream, item_key) as items
    from numbered
    group by
        session_date,
        platform_key,
        user_key,
        session
)

select
    session_date as event_date,
    began_at as event_time,
    ended_at,
    platform_key,
    user_key,
    dateDiff('microsecond', began_at, ended_at) / 6e7 as minutes,
    events,
    events_after_midnight,
    items,
    toUInt8(events = 1) as is_bounce
from summed
{% endmacro %}
