{#- Partial sums of engagement by platform and day; `only` keeps some days of `platform_hours`. -#}
{% macro engagement_platform_daily_select(platform_hours, only='') %}
with platform_hours as (
    select
        event_date,
        platform_key,
        metric_type,
        events,
        value_sum,
        users,
        value_quantiles
    from {{ platform_hours }}
    {{ only }}
)

select
    platform_hours.event_date as event_date,
    platform_hours.platform_key as platform_key,
    platform_hours.metric_type as metric_type,
    {{ merged_engagement('platform_hours') }}
from platform_hours
group by
    platform_hours.event_date,
    platform_hours.platform_key,
    platform_hours.metric_type
{% endmacro %}
