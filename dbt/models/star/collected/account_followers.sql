with known_days as (
    select
        event_date,
        collected_at,
        platform,
        account_id,
        platform_key,
        account_key,
        followers,
        coalesce(followers_gained, 0) as gained,
        leadInFrame(toNullable(event_date)) over (
            partition by platform, account_id
            order by event_date
            rows between unbounded preceding and unbounded following
        ) as next_date
    from {{ ref('account_history') }}
    where followers is not null
),

-- A day without a collection has the followers of the last one, for six days at most. Days have
-- another name than the result's column, or else ClickHouse filters them before they are repeated.
days as (
    select
        event_date as known_on,
        collected_at,
        platform,
        account_id,
        platform_key,
        account_key,
        assumeNotNull(followers) as known_followers,
        gained,
        arrayJoin(
            range(0, least(7, greatest(1, dateDiff('day', event_date, coalesce(next_date, toDate(now('UTC')) + 1)))))
        ) as days_later
    from known_days
)

select
    known_on + days_later as event_date,
    if(days_later = 0, collected_at, toDateTime64(known_on + days_later, 6, 'UTC')) as event_time,
    platform,
    account_id,
    platform_key,
    account_key,
    known_followers as followers,
    if(days_later = 0, gained, 0) as followers_gained
from days
