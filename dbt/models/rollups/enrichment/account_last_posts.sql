-- From `replaced_on` on, twelve newer posts are there.
{% set forever = "toDate('2149-06-06')" -%}
with posts as (
    select
        platform_key,
        account_key,
        post_key,
        language,
        toDate(published_at, 'UTC') as published_on,
        coalesce(leadInFrame(toNullable(published_on), 12) over (
            partition by platform_key, account_key
            order by published_at, post_key
            rows between unbounded preceding and unbounded following
        ), {{ forever }}) as replaced_on
    from {{ ref('collected_posts') }}
),

changes as (
    select
        event_date,
        platform_key,
        post_key,
        sumIf(initial_sum + added_sum - taken_back_sum, counter = 'likes') as likes,
        sumIf(initial_sum + added_sum - taken_back_sum, counter = 'comments') as comments,
        max(counter = 'likes') as tells_likes,
        max(counter = 'comments') as tells_comments
    from {{ ref('post_counters_daily') }}
    where counter in ('likes', 'comments')
    group by
        event_date,
        platform_key,
        post_key
),

totals as (
    select
        event_date as since,
        platform_key,
        post_key,
        sum(likes) over so_far + sum(comments) over so_far as engagement,
        max(tells_likes) over so_far as knows_likes,
        max(tells_comments) over so_far as knows_comments,
        coalesce(leadInFrame(toNullable(event_date)) over (
            partition by platform_key, post_key
            order by event_date
            rows between unbounded preceding and unbounded following
        ), {{ forever }}) as next_date
    from changes
    window so_far as (
        partition by platform_key, post_key
        order by event_date
        rows between unbounded preceding and current row
    )
),

-- What a post has, from a day until another, while it is one of the last twelve. A post of which
-- likes or comments are not known is left out.
shown as (
    select
        posts.platform_key as platform_key,
        posts.account_key as account_key,
        greatest(totals.since, posts.published_on) as begins,
        least(totals.next_date, posts.replaced_on) as ends,
        totals.engagement as engagement
    from totals
    inner join posts
        on totals.platform_key = posts.platform_key and totals.post_key = posts.post_key
    where totals.knows_likes = 1 and totals.knows_comments = 1 and begins < ends
),

steps as (
    select
        begins as event_date,
        platform_key,
        account_key,
        engagement,
        toInt64(1) as counted,
        toInt64(0) as published,
        toInt64(0) as recent,
        map()::Map(String, Int64) as languages
    from shown
    union all
    select
        ends as event_date,
        platform_key,
        account_key,
        -engagement as engagement,
        toInt64(-1) as counted,
        toInt64(0) as published,
        toInt64(0) as recent,
        map()::Map(String, Int64) as languages
    from shown
    union all
    select
        published_on as event_date,
        platform_key,
        account_key,
        toInt64(0) as engagement,
        toInt64(0) as counted,
        toInt64(1) as published,
        toInt64(1) as recent,
        if(language is null, map(), map(assumeNotNull(language), 1))::Map(String, Int64) as languages
    from posts
    union all
    select
        replaced_on as event_date,
        platform_key,
        account_key,
        toInt64(0) as engagement,
        toInt64(0) as counted,
        toInt64(0) as published,
        toInt64(0) as recent,
        if(language is null, map(), map(assumeNotNull(language), -1))::Map(String, Int64) as languages
    from posts
    union all
    select
        published_on + 28 as event_date,
        platform_key,
        account_key,
        toInt64(0) as engagement,
        toInt64(0) as counted,
        toInt64(0) as published,
        toInt64(-1) as recent,
        map()::Map(String, Int64) as languages
    from posts
),

days as (
    select
        event_date,
        platform_key,
        account_key,
        sum(steps.engagement) as engagement,
        sum(steps.counted) as counted,
        sum(steps.published) as published,
        sum(steps.recent) as recent,
        sumMap(steps.languages) as languages
    from steps
    where event_date < {{ forever }}
    group by
        event_date,
        platform_key,
        account_key
),

summed as (
    select
        event_date,
        platform_key,
        account_key,
        sum(days.engagement) over so_far as engagement,
        sum(days.counted) over so_far as counted,
        sum(days.published) over so_far as published,
        sum(days.recent) over so_far as recent,
        sumMap(days.languages) over so_far as languages
    from days
    window so_far as (
        partition by platform_key, account_key
        order by event_date
        rows between unbounded preceding and current row
    )
)

select
    event_date,
    platform_key,
    account_key,
    published as posts_known,
    recent as posts_in_28_days,
    counted as posts_counted,
    engagement,
    arraySort(
        language -> (-languages[language], language),
        arrayFilter(language -> languages[language] > 0, mapKeys(languages))
    ) as languages
from summed
