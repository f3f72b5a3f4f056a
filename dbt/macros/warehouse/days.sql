{#-
  The days that this run rebuilds, as a WHERE clause on `event_date`: vars `from_date` and
  `to_date`, both inclusive. Without them it selects no day: the run creates tables only.
-#}
{% macro days() -%}
    {%- set from_date, to_date = var('from_date', none), var('to_date', none) -%}
    {%- if from_date and to_date -%}
    {{ days_between(from_date, to_date) }}
    {%- else -%}
    where false
    {%- endif -%}
{%- endmacro %}

{% macro days_between(first, last) -%}
    where event_date between toDate('{{ first }}') and toDate('{{ last }}')
{%- endmacro %}

{#- A condition that ends history with the days that this run rebuilds; empty without them. -#}
{% macro until_last_day() -%}
    {%- if var('to_date', none) -%}
    {{ until_day(var('to_date')) }}
    {%- endif -%}
{%- endmacro %}

{% macro until_day(last) -%}
    and event_date <= toDate('{{ last }}')
{%- endmacro %}
