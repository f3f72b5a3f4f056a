-- Tags are read as posts have them now: one that is loaded or changed later counts for all days.
with tagged as (
    select
        post_key,
        arrayDistinct(tags) as tags_of_post
    from {{ ref('dim_post') }}
    where notEmpty(tags)
),

daily as (
    select
        posts.event_date as event_date,
        posts.platform_key as platform_key,
        posts.user_key as user_key,
        tag,
        sum(posts.interest) as interest
    from {{ ref('user_posts') }} as posts
    inner join tagged on posts.post_key = tagged.post_key
    array join tagged.tags_of_post as tag
    group by
        posts.event_date,
        posts.platform_key,
        posts.user_key,
        tag
),

-- Half-lives since the first day of a user and tag: interest that is weighed by their power of two
-- can be summed once, whatever the day that it is asked for. Float64 holds 1,023 of them, 39 years.
aged as (
    select
        event_date,
        platform_key,
        user_key,
        tag,
        interest,
        (event_date - min(event_date) over (partition by platform_key, user_key, tag))
        / {{ interest_weights()['half_life_days'] }} as half_lives
    from daily
)

select
    event_date,
    platform_key,
    user_key,
    tag,
    interest,
    sum(interest * exp2(half_lives)) over (
        partition by platform_key, user_key, tag
        order by event_date
        rows between unbounded preceding and current row
    ) / exp2(half_lives) as affinity
from aged
