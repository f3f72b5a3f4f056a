{#- Users of engagement by platform and day, whatever the kind of reaction; `only` keeps some days of
    `platform_hours`. The kinds are those of the contract (`kinds_of_reactions`). -#}
{% macro engagement_users_daily_select(platform_hours, only='') %}
with platform_hours as (
    select
        event_date,
        platform_key,
        metric_type,
        events,
        value_sum,
        users
    from {{ platform_hours }}
    {{ only }}
)

select
    platform_hours.event_date as event_date,
    platform_hours.platform_key as platform_key,
    sumSimpleState(platform_hours.events) as events,
    uniqCombinedMergeState(platform_hours.users) as users,
    uniqCombinedMergeStateIf(
        platform_hours.users, platform_hours.metric_type in {{ kinds_of_reactions()['shown'] }}
    ) as reached_users,
    sumSimpleState(
        if(
            platform_hours.metric_type in {{ kinds_of_reactions()['engaging'] }},
            toFloat64(platform_hours.value_sum),
            0
        )
    ) as engagement_sum
from platform_hours
group by
    platform_hours.event_date,
    platform_hours.platform_key
{% endmacro %}
