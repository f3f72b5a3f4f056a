{#- `dim_video`: the attributes of a video, and the streams that have them. -#}
{% macro dim_video_attributes() %}
    {{ return({
        'video_category': 'String',
        'video_length': 'Float64',
    }) }}
{% endmacro %}

{% macro dim_video_select(stream, records, only='') %}
{%- set told = {
    'video_interactions': dim_video_attributes().keys() | list,
} -%}
{{ dimension_select(
    'video', 'video_id', 'video_id', dim_video_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
