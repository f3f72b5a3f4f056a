{#- `dim_account`: the attributes of an account, and the streams that have them. -#}
{% macro dim_account_attributes() %}
    {{ return({
        'platform': 'String',
    }) }}
{% endmacro %}

{% macro dim_account_select(stream, records, only='') %}
{%- set told = {
    'engagement_events': dim_account_attributes().keys() | list,
    'posts': dim_account_attributes().keys() | list,
} -%}
{{ dimension_select(
    'account', 'account_id', 'account_id', dim_account_attributes(),
    told.get(stream, []), records, only
) }}
{% endmacro %}
