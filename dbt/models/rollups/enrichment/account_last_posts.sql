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
        account_key,
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
        account_key,
        post_key
),

totals as (
    select
        event_date as since,
        platform_key,
        account_key,
        post_key,
        sum(likes) over so_far + sum(comments) over so_far as engagement,
        max(tells_likes) over so_far as knows_likes,
        max(tells_comments) over so_far as knows_comments,
        coalesce(leadInFrame(toNullable(event_date)) over (
            partition by platform_key, account_key, post_key
            order by event_date
            rows between unbounded preceding and unbounded following
        ), {{ forever }}) as next_date
    from changes
    window so_far as (
        partition by platform_key, account_key, post_key
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
        on totals.platform_key = posts.platform_key
        and totals.account_key = posts.account_key
        and totals.post_key = posts.post_key
    where totals.knows_likes = 1 and totals.knows_comments = 1 and begins < ends
),

-- What begins and ends on a day. Each row gives its days at once: a CTE that is named twice is
-- computed twice.
steps as (
    select
        step.1 as event_date,
        platform_key,
        account_key,
        step.2 * engagement as engagement,
        step.2 as counted,
        toInt64(0) as published,
        toInt64(0) as recent,
        map()::Map(String, Int64) as languages
    from shown
    array join [(begins, toInt64(1)), (ends, toInt64(-1))] as step
    union all
    select
        step.1 as event_date,
        platform_key,
        account_key,
        toInt64(0) as engagement,
        toInt64(0) as counted,
        step.2 as published,
        step.3 as recent,
        if(
            language is null or step.4 = 0, map(), map(assumeNotNull(language), step.4)
        )::Map(String, Int64) as languages
    from posts
    array join [
        (published_on, toInt64(1), toInt64(1), toInt64(1)),
        (published_on + 28, toInt64(0), toInt64(-1), toInt64(0)),
        (replaced_on, toInt64(0), toInt64(0), toInt64(-1))
    ] as step
)

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
