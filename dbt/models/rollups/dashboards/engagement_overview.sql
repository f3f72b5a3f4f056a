with days as (
    select
        event_date,
        platform_key,
        metric_type,
        sum(events) as events,
        sum(value_sum) as value_sum,
        uniqCombinedMerge(users) as users,
        quantilesBFloat16Merge(0.5, 0.9, 0.99)(value_quantiles) as value_quantiles
    from {{ ref('engagement_daily') }}
    group by
        event_date,
        platform_key,
        metric_type
)

select
    days.event_date as event_date,
    platforms.platform as platform,
    days.metric_type as metric_type,
    days.events as events,
    days.value_sum as total_value,
    days.value_sum / days.events as average_value,
    days.users as users,
    days.value_quantiles[1] as median_value,
    days.value_quantiles[2] as p90_value,
    days.value_quantiles[3] as p99_value
from days
inner join {{ ref('dim_platform') }} as platforms on days.platform_key = platforms.platform_key
