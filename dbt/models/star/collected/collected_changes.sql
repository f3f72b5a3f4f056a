-- What a post had when it was found came before, unless it is as new as its first collection.
with found as (
    select
        increments.event_date as event_date,
        increments.collected_at as collected_at,
        increments.platform as platform,
        increments.account_id as account_id,
        increments.post_id as post_id,
        increments.platform_key as platform_key,
        increments.account_key as account_key,
        increments.post_key as post_key,
        increments.counter as counter,
        increments.initial as total,
        {{ was_published_before('posts.published_at', 'increments.collected_at') }} as is_old
    from {{ ref('post_counter_increments') }} as increments
    left join {{ ref('collected_posts') }} as posts
        on increments.platform_key = posts.platform_key and increments.post_key = posts.post_key
    where increments.initial != 0
)

select
    event_date,
    collected_at as event_time,
    'counter' as kind,
    toString(platform) as platform,
    account_id,
    post_id,
    platform_key,
    account_key,
    post_key,
    toString(counter) as counter,
    toInt64(added) as added,
    toInt64(0) as found,
    toInt64(taken_back) as taken_back,
    toInt64(0) as followers,
    toInt64(0) as followers_gained
from {{ ref('post_counter_increments') }}
where initial = 0 or added != 0 or taken_back != 0
union all
select
    event_date,
    collected_at as event_time,
    'counter' as kind,
    toString(platform) as platform,
    account_id,
    post_id,
    platform_key,
    account_key,
    post_key,
    toString(counter) as counter,
    if(is_old, 0, toInt64(total)) as added,
    if(is_old, toInt64(total), 0) as found,
    toInt64(0) as taken_back,
    toInt64(0) as followers,
    toInt64(0) as followers_gained
from found
union all
select
    event_date,
    event_time,
    'account' as kind,
    toString(platform) as platform,
    account_id,
    '' as post_id,
    platform_key,
    account_key,
    {{ surrogate_key("''") }} as post_key,
    '' as counter,
    toInt64(0) as added,
    toInt64(0) as found,
    toInt64(0) as taken_back,
    followers,
    followers_gained
from {{ ref('account_followers') }}
union all
select
    toDate(published_at, 'UTC') as event_date,
    published_at as event_time,
    'post' as kind,
    toString(platform) as platform,
    account_id,
    post_id,
    platform_key,
    account_key,
    post_key,
    '' as counter,
    toInt64(0) as added,
    toInt64(0) as found,
    toInt64(0) as taken_back,
    toInt64(0) as followers,
    toInt64(0) as followers_gained
from {{ ref('collected_posts') }}
