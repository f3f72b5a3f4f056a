{#-
  The days that this run rebuilds, as a WHERE clause on `event_date`: vars `from_date` and
  `to_date`, both inclusive. Without them it selects no day: the run creates tables only.
-#}
{% macro days() -%}
    {%- set from_date, to_date = var('from_date', none), var('to_date', none) -%}
    {%- if from_date and to_date -%}
    where event_date between toDate('{{ from_date }}') and toDate('{{ to_date }}')
    {%- else -%}
    where false
    {%- endif -%}
{%- endmacro %}
