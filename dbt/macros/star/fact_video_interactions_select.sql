{#- One row a user, video and day; `only` keeps some days of `interactions`. -#}
{% macro fact_video_interactions_select(interactions, only='') %}
with accepted as (
    select
        event_date,
        event_time,
        user_id,
        video_id,
        platform,
        device_type,
        os,
        connection_type,
        watch_time,
        hour,
        watch_reason,
        frequency,
        current_activity,
        age_group,
        gender,
        total_time_spent,
        number_of_sessions,
        video_length,
        engagement,
        importance_score,
        time_spent_on_video,
        number_of_videos_watched,
        scroll_rate,
        productivity_loss,
        satisfaction,
        self_control,
        addiction_level
    from {{ interactions }}
    {{ only }}
)

select
    event_date,
    event_time,
    {{ surrogate_key('user_id') }} as user_key,
    {{ surrogate_key('video_id') }} as video_key,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('device_type') }} as device_type_key,
    {{ surrogate_key('os') }} as os_key,
    {{ surrogate_key('connection_type') }} as connection_type_key,
    {{ surrogate_key(minute_of_watch_time('watch_time')) }} as time_key,
    {{ surrogate_key('toLowCardinality(event_date)') }} as date_key,
    toInt8(ifNull(hour, -1)) as hour_of_day,
    watch_reason,
    frequency,
    current_activity,
    age_group,
    gender,
    total_time_spent,
    number_of_sessions,
    video_length,
    engagement,
    importance_score,
    time_spent_on_video,
    number_of_videos_watched,
    scroll_rate,
    productivity_loss,
    satisfaction,
    self_control,
    addiction_level
from accepted
{% endmacro %}
