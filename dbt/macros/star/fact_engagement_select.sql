{#- One row an engagement event; `only` keeps some days of `events`. -#}
{% macro fact_engagement_select(events, only='') %}
with accepted as (
    select
        event_date,
        event_time,
        event_id,
        account_id,
        post_id,
        user_id,
        platform,
        metric_type,
        value
    from {{ events }}
    {{ only }}
)

select
    event_date,
    event_time,
    event_id,
    {{ surrogate_key('account_id') }} as account_key,
    {{ surrogate_key('post_id') }} as post_key,
    {{ surrogate_key('user_id') }} as user_key,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key(minute_of_day('event_time')) }} as time_key,
    {{ surrogate_key('toLowCardinality(event_date)') }} as date_key,
    metric_type,
    value
from accepted
{% endmacro %}
