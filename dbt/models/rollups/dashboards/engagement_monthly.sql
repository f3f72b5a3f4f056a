select
    toStartOfMonth(event_date) as event_month,
    lower(hex(account_key)) as account_key,
    lower(hex(post_key)) as post_key,
    lower(hex(platform_key)) as platform_key,
    metric_type,
    sum(days.events) as events,
    sum(days.value_sum) as total_value,
    uniqCombinedMerge(days.users) as users,
    quantilesBFloat16Merge(0.5, 0.9, 0.99)(days.value_quantiles) as value_quantiles
from {{ ref('engagement_daily') }} as days
group by
    event_month,
    days.account_key,
    days.post_key,
    days.platform_key,
    days.metric_type
