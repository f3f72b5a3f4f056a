with profiles as (
    select
        event_date,
        collected_at as event_time,
        platform,
        account_id,
        platform_key,
        account_key,
        followers,
        growth_7_days,
        growth_30_days,
        abs(followers_gained) / nullIf(followers - followers_gained, 0) as change,
        dateDiff('day', anyLast(if(followers is null, null, event_date)) over (
            partition by platform_key, account_key
            order by event_date
            rows between unbounded preceding and 1 preceding
        ), event_date) as days_of_change,
        {{ completeness() }} as completeness
    from {{ ref('account_history') }}
),

steadied as (
    select
        event_date,
        event_time,
        platform,
        account_id,
        platform_key,
        account_key,
        followers,
        growth_7_days,
        growth_30_days,
        completeness,
        max(change / days_of_change) over (
            partition by platform_key, account_key
            order by event_date
            range between 29 preceding and current row
        ) as largest_daily_change
    from profiles
),

-- One window over both, in the place of a join: so a question about an account reads its rows alone.
timeline as (
    select
        event_date,
        platform_key,
        account_key,
        true as is_profile,
        event_time,
        platform,
        account_id,
        followers,
        growth_7_days,
        growth_30_days,
        completeness,
        largest_daily_change,
        toInt64(0) as engagement,
        toInt64(0) as counted,
        toInt64(0) as published,
        toInt64(0) as recent,
        map()::Map(String, Int64) as languages
    from steadied
    union all
    select
        event_date,
        platform_key,
        account_key,
        false as is_profile,
        toDateTime64(0, 6, 'UTC') as event_time,
        '' as platform,
        '' as account_id,
        null as followers,
        null as growth_7_days,
        null as growth_30_days,
        0 as completeness,
        null as largest_daily_change,
        engagement,
        counted,
        published,
        recent,
        languages
    from {{ ref('account_last_posts') }}
),

so_far as (
    select
        event_date,
        platform_key,
        account_key,
        is_profile,
        event_time,
        platform,
        account_id,
        followers,
        growth_7_days,
        growth_30_days,
        completeness,
        largest_daily_change,
        sum(timeline.engagement) over until_now as engagement,
        sum(timeline.counted) over until_now as posts_counted,
        sum(timeline.published) over until_now as posts_known,
        sum(timeline.recent) over until_now as posts_in_28_days,
        sumMap(timeline.languages) over until_now as languages
    from timeline
    window until_now as (
        partition by platform_key, account_key
        order by event_date
        range between unbounded preceding and current row
    )
),

posted as (
    select
        event_date,
        event_time,
        platform,
        account_id,
        platform_key,
        account_key,
        followers,
        growth_7_days,
        growth_30_days,
        completeness,
        largest_daily_change,
        if(posts_known > 0, posts_in_28_days / 4, null) as posts_a_week,
        posts_counted,
        engagement / nullIf(posts_counted, 0) as engagement_of_posts,
        engagement_of_posts / nullIf(followers, 0) as engagement_rate,
        arraySort(
            language -> (-languages[language], language),
            arrayFilter(language -> languages[language] > 0, mapKeys(languages))
        ) as by_posts,
        nullIf(by_posts[1], '') as language
    from so_far
    where is_profile
),

assessed as (
    select
        event_date,
        event_time,
        platform,
        account_id,
        platform_key,
        account_key,
        followers,
        growth_7_days,
        growth_30_days,
        posts_a_week,
        posts_counted,
        engagement_of_posts,
        engagement_rate,
        language,
        largest_daily_change,
        completeness,
        {{ plausibility('engagement_rate') }} as plausibility,
        {{ steadiness('largest_daily_change') }} as steadiness
    from posted
)

select
    event_date,
    event_time,
    platform,
    account_id,
    platform_key,
    account_key,
    followers,
    growth_7_days,
    growth_30_days,
    posts_a_week,
    posts_counted,
    engagement_of_posts,
    engagement_rate,
    language,
    largest_daily_change,
    completeness,
    plausibility,
    steadiness,
    {{ quality_score() }} as quality_score
from assessed
