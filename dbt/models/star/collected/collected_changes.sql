with known_days as (
    select
        event_date,
        collected_at,
        platform,
        account_id,
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
account_days as (
    select
        event_date as known_on,
        collected_at,
        platform,
        account_id,
        assumeNotNull(followers) as known_followers,
        gained,
        arrayJoin(
            range(0, least(7, greatest(1, dateDiff('day', event_date, coalesce(next_date, toDate(now('UTC')) + 1)))))
        ) as days_later
    from known_days
),

-- What a post had when it was found came before, unless it is as new as its first collection.
counted as (
    select
        changes.event_date as event_date,
        changes.collected_at as collected_at,
        changes.platform as platform,
        changes.account_id as account_id,
        changes.post_id as post_id,
        changes.counter as counter,
        changes.added as came,
        changes.taken_back as taken_back,
        changes.collected_before is null
        and posts.published_at < changes.collected_at - toIntervalDay(1) as is_found
    from {{ ref('post_counter_changes') }} as changes
    left join {{ ref('collected_posts') }} as posts
        on changes.platform = posts.platform and changes.post_id = posts.post_id
),

changes as (
    select
        event_date,
        collected_at as event_time,
        'counter' as kind,
        toString(platform) as platform,
        account_id,
        post_id,
        counter,
        if(is_found, 0, came) as added,
        if(is_found, came, 0) as found,
        taken_back,
        toInt64(0) as followers,
        toInt64(0) as followers_gained
    from counted
    union all
    select
        known_on + days_later as event_date,
        if(days_later = 0, collected_at, toDateTime64(known_on + days_later, 6, 'UTC')) as event_time,
        'account' as kind,
        toString(platform) as platform,
        account_id,
        '' as post_id,
        '' as counter,
        toInt64(0) as added,
        toInt64(0) as found,
        toInt64(0) as taken_back,
        known_followers as followers,
        if(days_later = 0, gained, 0) as followers_gained
    from account_days
    union all
    select
        toDate(published_at, 'UTC') as event_date,
        published_at as event_time,
        'post' as kind,
        toString(platform) as platform,
        account_id,
        post_id,
        '' as counter,
        toInt64(0) as added,
        toInt64(0) as found,
        toInt64(0) as taken_back,
        toInt64(0) as followers,
        toInt64(0) as followers_gained
    from {{ ref('collected_posts') }}
)

select
    event_date,
    event_time,
    kind,
    platform,
    account_id,
    post_id,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('account_id') }} as account_key,
    {{ surrogate_key('post_id') }} as post_key,
    counter,
    added,
    found,
    taken_back,
    followers,
    followers_gained
from changes
