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
            partition by platform, account_id
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
            partition by platform, account_id
            order by event_date
            range between 29 preceding and current row
        ) as largest_daily_change
    from profiles
),

posted as (
    select
        profiles.event_date as event_date,
        profiles.event_time as event_time,
        profiles.platform as platform,
        profiles.account_id as account_id,
        profiles.platform_key as platform_key,
        profiles.account_key as account_key,
        profiles.followers as followers,
        profiles.growth_7_days as growth_7_days,
        profiles.growth_30_days as growth_30_days,
        profiles.completeness as completeness,
        profiles.largest_daily_change as largest_daily_change,
        if(posts.posts_known > 0, posts.posts_in_28_days / 4, null) as posts_a_week,
        posts.posts_counted as posts_counted,
        posts.engagement / nullIf(posts.posts_counted, 0) as engagement_of_posts,
        engagement_of_posts / nullIf(profiles.followers, 0) as engagement_rate,
        nullIf(posts.languages[1], '') as language
    from steadied as profiles
    asof left join {{ ref('account_last_posts') }} as posts
        on profiles.platform_key = posts.platform_key
        and profiles.account_key = posts.account_key
        and profiles.event_date >= posts.event_date
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
