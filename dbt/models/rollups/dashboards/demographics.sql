with days as (
    select
        event_date,
        stream,
        age_group,
        gender,
        sum(interactions) as interactions,
        uniqCombinedMerge(users) as users,
        sum(engagement_sum) as engagement_sum,
        sum(minutes_sum) as minutes_sum
    from {{ ref('age_group_daily') }}
    group by
        event_date,
        stream,
        age_group,
        gender
)

select
    event_date,
    stream,
    age_group,
    gender,
    interactions,
    users,
    engagement_sum as engagement,
    engagement_sum / interactions as average_engagement,
    minutes_sum / interactions as average_minutes
from days
