with days as (
    select
        event_date,
        watch_reason,
        sum(interactions) as interactions,
        uniqCombinedMerge(users) as users,
        sum(engagement_sum) as engagement_sum,
        sum(minutes_sum) as minutes_sum,
        sum(productivity_loss_sum) as productivity_loss_sum,
        sum(satisfaction_sum) as satisfaction_sum,
        sum(self_control_sum) as self_control_sum,
        sum(addiction_level_sum) as addiction_level_sum,
        quantilesBFloat16Merge(0.5, 0.9, 0.99)(minutes_quantiles) as minutes_quantiles
    from {{ ref('video_watch_reason_daily') }}
    group by
        event_date,
        watch_reason
)

select
    event_date,
    watch_reason,
    interactions,
    users,
    engagement_sum as engagement,
    minutes_sum / interactions as average_minutes,
    minutes_quantiles[1] as median_minutes,
    minutes_quantiles[2] as p90_minutes,
    productivity_loss_sum / interactions as average_productivity_loss,
    satisfaction_sum / interactions as average_satisfaction,
    self_control_sum / interactions as average_self_control,
    addiction_level_sum / interactions as average_addiction_level
from days
