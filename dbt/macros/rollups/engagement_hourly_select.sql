{#- Partial sums of engagement by hour; `only` keeps some days of `fact`. -#}
{% macro engagement_hourly_select(fact, only='') %}
with events as (
    select
        event_date,
        toStartOfHour(event_time) as event_hour,
        account_key,
        post_key,
        user_key,
        platform_key,
        metric_type,
        value
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    event_hour,
    account_key,
    post_key,
    platform_key,
    metric_type,
    sumSimpleState(toUInt64(1)) as events,
    sumSimpleState(value) as value_sum,
    {{ users_state() }} as users,
    {{ quantiles_state('value') }} as value_quantiles
from events
group by
    event_date,
    event_hour,
    account_key,
    post_key,
    platform_key,
    metric_type
{% endmacro %}
