with told as (
    -- Of two endpoints that tell the same counter, the higher one is the newer one.
    select
        counters.platform as platform,
        counters.account_id as account_id,
        counters.post_id as post_id,
        counters.collected_at as collected_at,
        counters.event_date as event_date,
        max(counters.likes) as likes,
        max(counters.comments) as comments,
        max(counters.shares) as shares,
        max(counters.saves) as saves,
        max(counters.quotes) as quotes,
        max(counters.views) as views,
        max(counters.reach) as reach
    from {{ source('cleaned', 'post_counters') }} as counters
    group by
        counters.platform,
        counters.account_id,
        counters.post_id,
        counters.collected_at,
        counters.event_date
),

counted as (
    select
        platform,
        account_id,
        post_id,
        collected_at,
        event_date,
        counters.1 as counter,
        assumeNotNull(counters.2) as total
    from told
    array join
        [
            ('likes', likes),
            ('comments', comments),
            ('shares', shares),
            ('saves', saves),
            ('quotes', quotes),
            ('views', views),
            ('reach', reach)
        ] as counters
    where counters.2 is not null
),

compared as (
    select
        platform,
        account_id,
        post_id,
        collected_at,
        event_date,
        counter,
        total,
        lagInFrame(total) over earlier as total_before,
        lagInFrame(toNullable(collected_at)) over earlier as collected_before
    from counted
    window earlier as (
        partition by platform, account_id, post_id, counter
        order by collected_at
        rows between 1 preceding and current row
    )
)

select
    event_date,
    collected_at,
    collected_before,
    platform,
    account_id,
    post_id,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('account_id') }} as account_key,
    {{ surrogate_key('post_id') }} as post_key,
    counter,
    total,
    greatest(total - total_before, 0) as added,
    greatest(total_before - total, 0) as taken_back
from compared
