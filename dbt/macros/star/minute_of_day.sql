{#- The natural key of `dim_time`: the minute of the day as HH:MM, or 'Unknown'. -#}
{% macro minute_of_day(instant) -%}
    toLowCardinality(formatDateTime({{ instant }}, '%H:%i'))
{%- endmacro %}

{% macro minute_of_watch_time(watch_time) -%}
    toLowCardinality(ifNull(substring({{ watch_time }}, 1, 5), 'Unknown'))
{%- endmacro %}
