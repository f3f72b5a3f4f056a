{#- The known values of a column lie between two numbers, both included, or above the first. -#}
{% test lies_between(model, column_name, least, most=none) %}
select event_date, {{ column_name }} from {{ model }}
where {{ column_name }} < {{ least }}{% if most is not none %} or {{ column_name }} > {{ most }}{% endif %}
{% endtest %}
