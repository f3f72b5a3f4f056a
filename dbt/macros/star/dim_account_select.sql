{#- `dim_account`: the attributes of an account, and the streams that have them. -#}
{% macro dim_account_attributes() %}
    {{ return({
        'platform': 'String',
        'handle': 'String',
        'display_name': 'String',
        'biography': 'String',
        'category': 'String',
        'country': 'String',
        'website': 'String',
        'is_verified': 'Bool',
    }) }}
{% endmacro %}

{% macro dim_account_select(stream, records, only='') %}
{%- set told = {
    'engagement_events': ['platform'],
    'posts': ['platform'],
    'profiles': dim_account_attributes().keys() | list,
} -%}
{{ dimension_select(
    'account', 'account_id', 'account_id', dim_account_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
