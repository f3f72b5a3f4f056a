{#- `dim_user`: the attributes of a user, and the streams that have them. -#}
{% macro dim_user_attributes() %}
    {{ return({
        'age': 'Int64',
        'age_group': 'String',
        'gender': 'String',
        'location': 'String',
        'profession': 'String',
        'demographics': 'String',
        'income': 'Float64',
        'debt': 'Bool',
        'owns_property': 'Bool',
    }) }}
{% endmacro %}

{% macro dim_user_select(stream, records, only='') %}
{%- set told = {
    'video_interactions': dim_user_attributes().keys() | list,
    'community_interactions': ['age', 'age_group', 'gender'],
} -%}
{{ dimension_select(
    'user', 'user_id', 'user_id', dim_user_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
