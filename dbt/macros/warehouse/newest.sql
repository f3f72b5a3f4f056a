{#-
  Attributes that several rows, days and streams tell about one member: the newest known wins.

  The state is text, `2026-01-31 21:15:00.000000 Female`, under `max`: times of equal width sort as
  text, so the greatest is the newest; merging is idempotent and commutative, and what was told at
  one instant is decided by the greater value, so that every order of arrival ends in the same
  attribute. Empty text says that nobody told. (A tuple would say it with types, but its `max`
  took ten times as long.)
-#}

{#- The state of `column` over a group of rows with `event_time`. -#}
{% macro newest(column, type) -%}
    max(if({{ is_known(column, type) }}, concat(toString(event_time), ' ', toString({{ column }})), ''))
{%- endmacro %}

{% macro is_known(column, type) -%}
    {{ column ~ " != 'Unknown'" if type == 'String' else column ~ ' is not null' }}
{%- endmacro %}

{#- What the states of a group say: the value; when nobody told, NULL, 'Unknown' for text, or []. -#}
{% macro newest_value(state, type) -%}
    {%- set told = 'substring(max(' ~ state ~ '), 28)' -%}
    {%- if type == 'String' -%}
    if(max({{ state }}) = '', 'Unknown', {{ told }})
    {%- elif type.startswith('Array') -%}
    cast(if(max({{ state }}) = '', '[]', {{ told }}) as {{ type }})
    {%- else -%}
    accurateCastOrNull({{ told }}, {{ quoted(type) }})
    {%- endif -%}
{%- endmacro %}
