{#- Partial sums of engagement by platform and hour; `only` keeps some days of `account_hours`. -#}
{% macro engagement_platform_hourly_select(account_hours, only='') %}
with account_hours as (
    select
        event_date,
        event_hour,
        platform_key,
        metric_type,
        events,
        value_sum,
        users,
        value_quantiles
    from {{ account_hours }}
    {{ only }}
)

select
    account_hours.event_date as event_date,
    account_hours.event_hour as event_hour,
    account_hours.platform_key as platform_key,
    account_hours.metric_type as metric_type,
    {{ merged_engagement('account_hours') }}
from account_hours
group by
    account_hours.event_date,
    account_hours.event_hour,
    account_hours.platform_key,
    account_hours.metric_type
{% endmacro %}
