{#- Partial sums of live events by device; `only` keeps some days of `fact`. -#}
{% macro live_streaming_device_daily_select(fact, only='') %}
with interactions_of_day as (
    select
        event_date,
        device_type_key,
        platform_key,
        user_key,
        live_engagement,
        viewer_count,
        stream_duration,
        addiction_level
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    device_type_key,
    platform_key,
    sumSimpleState(toUInt64(1)) as interactions,
    sumSimpleState(live_engagement) as engagement_sum,
    sumSimpleState(viewer_count) as viewers_sum,
    sumSimpleState(stream_duration) as minutes_sum,
    sumSimpleState(addiction_level) as addiction_level_sum,
    {{ users_state() }} as users,
    {{ quantiles_state('viewer_count') }} as viewers_quantiles
from interactions_of_day
group by
    event_date,
    device_type_key,
    platform_key
{% endmacro %}
