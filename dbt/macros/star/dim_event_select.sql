{#- `dim_event`: the attributes of an event, and the streams that have them. -#}
{% macro dim_event_attributes() %}
    {{ return({
        'event_type': 'String',
        'platform': 'String',
    }) }}
{% endmacro %}

{% macro dim_event_select(stream, records, only='') %}
{%- set told = {
    'live_streaming': dim_event_attributes().keys() | list,
} -%}
{{ dimension_select(
    'event', 'event_id', 'event_id', dim_event_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
