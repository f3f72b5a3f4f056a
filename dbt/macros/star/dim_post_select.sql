{#- `dim_post`: the attributes of a post, and the streams that have them. -#}
{% macro dim_post_attributes() %}
    {{ return({
        'account_id': 'String',
        'platform': 'String',
        'media_type': 'String',
        'content': 'String',
        'tags': 'Array(String)',
        'published_at': "DateTime64(6, 'UTC')",
    }) }}
{% endmacro %}

{% macro dim_post_select(stream, records, only='') %}
{%- set told = {
    'engagement_events': ['account_id', 'platform'],
    'posts': dim_post_attributes().keys() | list,
} -%}
{{ dimension_select(
    'post', 'post_id', 'post_id', dim_post_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
