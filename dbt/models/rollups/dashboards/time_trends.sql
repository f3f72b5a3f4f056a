with days as (
    select
        event_date,
        stream,
        hour_of_day,
        sum(interactions) as interactions,
        sum(engagement_sum) as engagement_sum,
        uniqCombinedMerge(users) as users
    from {{ ref('hour_of_day_daily') }}
    group by
        event_date,
        stream,
        hour_of_day
)

select
    event_date,
    stream,
    nullIf(hour_of_day, -1) as hour,
    interactions,
    users,
    engagement_sum as engagement,
    engagement_sum / interactions as average_engagement
from days
