{#- `dim_os`: a name, and when it was in use. -#}
{% macro dim_os_attributes() %}
    {{ return({}) }}
{% endmacro %}

{% macro dim_os_select(stream, records, only='') %}
{{ dimension_select(
    'os', 'os', 'os', dim_os_attributes(),
    [], records, only
) }}
{% endmacro %}
