with days as (
    select
        event_date,
        device_type_key,
        sum(interactions) as interactions,
        uniqCombinedMerge(users) as users,
        sum(engagement_sum) as engagement_sum,
        sum(viewers_sum) as viewers_sum,
        sum(minutes_sum) as minutes_sum,
        sum(addiction_level_sum) as addiction_level_sum,
        quantilesBFloat16Merge(0.5, 0.9, 0.99)(viewers_quantiles) as viewers_quantiles
    from {{ ref('live_streaming_device_daily') }}
    group by
        event_date,
        device_type_key
)

select
    days.event_date as event_date,
    device_types.device_type as device_type,
    days.interactions as interactions,
    days.users as users,
    days.engagement_sum as engagement,
    days.engagement_sum / days.interactions as average_engagement,
    days.viewers_sum / days.interactions as average_viewers,
    days.viewers_quantiles[1] as median_viewers,
    days.viewers_quantiles[2] as p90_viewers,
    days.minutes_sum / days.interactions as average_minutes,
    days.addiction_level_sum / days.interactions as average_addiction_level
from days
inner join {{ ref('dim_device_type') }} as device_types
    on days.device_type_key = device_types.device_type_key
