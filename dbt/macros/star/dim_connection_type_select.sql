{#- `dim_connection_type`: a name, and when it was in use. -#}
{% macro dim_connection_type_attributes() %}
    {{ return({}) }}
{% endmacro %}

{% macro dim_connection_type_select(stream, records, only='') %}
{{ dimension_select(
    'connection_type', 'connection_type', 'connection_type', dim_connection_type_attributes(),
    [], records, only
) }}
{% endmacro %}
