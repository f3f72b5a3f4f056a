{#- The engagement measures of each stream's fact, so that streams can be compared. -#}
{% macro engagement_of(stream) -%}
    {{ return({
        'engagement_events': 'value',
        'video_interactions': 'engagement',
        'live_streaming': 'live_engagement',
        'community_interactions': 'community_engagement',
    }[stream]) }}
{%- endmacro %}

{#- The minutes that a person spent, in the facts of the streams that know the person's age. -#}
{% macro minutes_of(stream) -%}
    {{ return({
        'video_interactions': 'time_spent_on_video',
        'community_interactions': 'total_time_spent',
    }[stream]) }}
{%- endmacro %}

{#- The hour of the day of a row: of the event, or of the watch time that a person named. -#}
{% macro hour_of_day_of(stream) -%}
    {{ return({
        'engagement_events': 'toInt8(toHour(event_time))',
        'video_interactions': 'hour_of_day',
        'live_streaming': 'hour_of_day',
    }[stream]) }}
{%- endmacro %}
