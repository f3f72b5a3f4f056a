{#- One row a live event and day; `only` keeps some days of `interactions`. -#}
{% macro fact_live_streaming_interactions_select(interactions, only='') %}
with accepted as (
    select
        event_date,
        event_time,
        event_id,
        user_id,
        platform,
        device_type,
        watch_time,
        hour,
        live_engagement,
        viewer_count,
        stream_duration,
        addiction_level
    from {{ interactions }}
    {{ only }}
)

select
    event_date,
    event_time,
    {{ surrogate_key('event_id') }} as event_key,
    {{ surrogate_key('user_id') }} as user_key,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('device_type') }} as device_type_key,
    {{ surrogate_key(minute_of_watch_time('watch_time')) }} as time_key,
    {{ surrogate_key('toLowCardinality(event_date)') }} as date_key,
    toInt8(ifNull(hour, -1)) as hour_of_day,
    live_engagement,
    viewer_count,
    stream_duration,
    addiction_level
from accepted
{% endmacro %}
