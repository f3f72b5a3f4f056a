-- Days in a row have the same difference between the date and the number of the user's active day.
with numbered as (
    select
        event_date,
        platform_key,
        user_key,
        events,
        toInt32(event_date) - toInt32(row_number() over (
            partition by platform_key, user_key
            order by event_date
        )) as streak
    from {{ ref('user_days') }}
)

select
    event_date,
    platform_key,
    user_key,
    events,
    row_number() over (
        partition by platform_key, user_key, streak
        order by event_date
    ) as days_in_a_row,
    event_date - days_in_a_row + 1 as streak_began_on
from numbered
