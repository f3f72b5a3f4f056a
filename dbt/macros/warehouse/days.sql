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

{#-
  The days that this run rebuilds, and those that their rows depend on: `days_before` and
  `days_after` of the model's config.
-#}
{% macro days_around() -%}
    {%- set from_date, to_date = var('from_date', none), var('to_date', none) -%}
    {%- if from_date and to_date -%}
    {{ days_around_these(from_date, to_date) }}
    {%- else -%}
    where false
    {%- endif -%}
{%- endmacro %}

{% macro days_around_these(first, last) -%}
    where event_date between toDate('{{ first }}') - {{ number_of('days_before') }}
    and toDate('{{ last }}') + {{ number_of('days_after') }}
{%- endmacro %}

{#- A number of days in the model's config; 0 without it. sqlfluff's config has no `get`. -#}
{% macro number_of(option) -%}
    {{ return(config.get(option, 0) if config.get is defined else 0) }}
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
