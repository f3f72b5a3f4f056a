with days as (
    select
        event_date,
        community_key,
        uniqCombinedMerge(users) as members,
        sum(interactions) as interactions,
        sum(engagement_sum) as engagement_sum,
        sum(minutes_sum) as minutes_sum
    from {{ ref('community_daily') }}
    group by
        event_date,
        community_key
)

select
    days.event_date as event_date,
    communities.community_id as community_id,
    communities.community_name as community_name,
    days.members as members,
    days.interactions as interactions,
    days.engagement_sum as engagement,
    days.engagement_sum / days.interactions as average_engagement,
    days.minutes_sum / days.interactions as average_minutes
from days
inner join {{ ref('dim_community') }} as communities
    on days.community_key = communities.community_key
