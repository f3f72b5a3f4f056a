{#- Partial sums of engagement by account, platform and hour; `only` keeps some days of `post_hours`. -#}
{% macro engagement_account_hourly_select(post_hours, only='') %}
with post_hours as (
    select
        event_date,
        event_hour,
        account_key,
        platform_key,
        metric_type,
        events,
        value_sum,
        users,
        value_quantiles
    from {{ post_hours }}
    {{ only }}
)

select
    post_hours.event_date as event_date,
    post_hours.event_hour as event_hour,
    post_hours.account_key as account_key,
    post_hours.platform_key as platform_key,
    post_hours.metric_type as metric_type,
    {{ merged_engagement('post_hours') }}
from post_hours
group by
    post_hours.event_date,
    post_hours.event_hour,
    post_hours.account_key,
    post_hours.platform_key,
    post_hours.metric_type
{% endmacro %}
