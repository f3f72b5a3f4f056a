{#- `dim_platform`: a name, and when it was in use. -#}
{% macro dim_platform_attributes() %}
    {{ return({}) }}
{% endmacro %}

{% macro dim_platform_select(stream, records, only='') %}
{{ dimension_select(
    'platform', 'platform', 'platform', dim_platform_attributes(),
    [], records, only
) }}
{% endmacro %}
