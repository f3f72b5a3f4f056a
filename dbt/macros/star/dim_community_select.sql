{#- `dim_community`: the attributes of a community, and the streams that have them. -#}
{% macro dim_community_attributes() %}
    {{ return({
        'community_name': 'String',
        'platform': 'String',
    }) }}
{% endmacro %}

{% macro dim_community_select(stream, records, only='') %}
{%- set told = {
    'community_interactions': dim_community_attributes().keys() | list,
} -%}
{{ dimension_select(
    'community', 'community_id', 'community_id', dim_community_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
