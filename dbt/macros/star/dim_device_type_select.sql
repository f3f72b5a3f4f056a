{#- `dim_device_type`: a name, and when it was in use. -#}
{% macro dim_device_type_attributes() %}
    {{ return({}) }}
{% endmacro %}

{% macro dim_device_type_select(stream, records, only='') %}
{{ dimension_select(
    'device_type', 'device_type', 'device_type', dim_device_type_attributes(),
    [], records, only
) }}
{% endmacro %}
