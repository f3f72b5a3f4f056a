{#- `dim_membership_status`: a name, and when it was in use. -#}
{% macro dim_membership_status_attributes() %}
    {{ return({}) }}
{% endmacro %}

{% macro dim_membership_status_select(stream, records, only='') %}
{{ dimension_select(
    'membership_status', 'membership_status', 'membership_status', dim_membership_status_attributes(),
    [], records, only
) }}
{% endmacro %}
