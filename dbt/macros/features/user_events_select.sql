{#-
  What users did at which time: one row an event; `only` keeps some days of the facts.

  Members of communities are left out: their records have a day and no time. So are watched videos
  and live events of which no time is known.
-#}
{% macro user_events_select(only='where true') %}
    {%- for fact, stream, item, condition in (
        ('fact_engagement', 'engagement_events', 'post_key', ''),
        ('fact_video_interactions', 'video_interactions', 'video_key', 'and hour_of_day >= 0'),
        ('fact_live_streaming_interactions', 'live_streaming', 'event_key', 'and hour_of_day >= 0'),
    ) %}
    select
        event_date,
        event_time,
        platform_key,
        user_key,
        toLowCardinality('{{ stream }}') as stream,
        {{ item }} as item_key
    from {{ ref(fact) }}
    {{ only }} and {{ is_known_user() }} {{ condition }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endmacro %}
