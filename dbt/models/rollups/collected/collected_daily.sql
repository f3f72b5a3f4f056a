-- What a post had when it was found came before, unless it is as new as its first collection.
with found as (
    select
        counters.event_date as event_date,
        counters.platform_key as platform_key,
        counters.account_key as account_key,
        counters.post_key as post_key,
        counters.counter as counter,
        counters.initial_sum as total,
        {{ was_published_before('posts.published_at', 'counters.first_at') }} as is_old
    from {{ ref('post_counters_daily') }} as counters
    left join {{ ref('collected_posts') }} as posts
        on counters.platform_key = posts.platform_key and counters.post_key = posts.post_key
    where counters.initial_sum != 0
)

select
    event_date,
    toDateTime64(event_date, 6, 'UTC') as event_time,
    'counter' as kind,
    platform_key,
    account_key,
    post_key,
    toString(counter) as counter,
    toInt64(added_sum) as added_sum,
    toInt64(0) as found_sum,
    toInt64(taken_back_sum) as taken_back_sum,
    toInt64(0) as followers,
    toInt64(0) as followers_sum,
    toInt64(0) as followers_gained_sum,
    toUInt64(0) as posts
from {{ ref('post_counters_daily') }}
where initial_sum = 0
union all
select
    event_date,
    toDateTime64(event_date, 6, 'UTC') as event_time,
    'counter' as kind,
    platform_key,
    account_key,
    post_key,
    toString(counter) as counter,
    if(is_old, 0, toInt64(total)) as added_sum,
    if(is_old, toInt64(total), 0) as found_sum,
    toInt64(0) as taken_back_sum,
    toInt64(0) as followers,
    toInt64(0) as followers_sum,
    toInt64(0) as followers_gained_sum,
    toUInt64(0) as posts
from found
union all
select
    event_date,
    event_time,
    'account' as kind,
    platform_key,
    account_key,
    {{ surrogate_key("''") }} as post_key,
    '' as counter,
    toInt64(0) as added_sum,
    toInt64(0) as found_sum,
    toInt64(0) as taken_back_sum,
    followers,
    followers as followers_sum,
    followers_gained as followers_gained_sum,
    toUInt64(0) as posts
from {{ ref('account_followers') }}
union all
select
    toDate(published_at, 'UTC') as event_date,
    published_at as event_time,
    'post' as kind,
    platform_key,
    account_key,
    post_key,
    '' as counter,
    toInt64(0) as added_sum,
    toInt64(0) as found_sum,
    toInt64(0) as taken_back_sum,
    toInt64(0) as followers,
    toInt64(0) as followers_sum,
    toInt64(0) as followers_gained_sum,
    toUInt64(1) as posts
from {{ ref('collected_posts') }}
