{#-
  Attributes of one member from several rows, days and streams: the newest known value wins.

  The state is a text, `2026-01-31 21:15:00.000000 Female`, merged by `max`. Times of equal width
  sort as text, so the greatest text is the newest. Merging is idempotent and commutative; of two
  values with the same time the greater one wins, so that every order of arrival gives the same
  attribute. An empty text means that no record has a value. (A tuple would have types, but its
  `max` took ten times as long.)
-#}

{#- The state of `column` over a group of rows with `event_time`. -#}
{% macro newest(column, type) -%}
    max(if({{ is_known(column, type) }}, concat(toString(event_time), ' ', toString({{ column }})), ''))
{%- endmacro %}

{% macro is_known(column, type) -%}
    {{ column ~ " != 'Unknown'" if type == 'String' else column ~ ' is not null' }}
{%- endmacro %}

{#- The value of the states of a group; if no record has one: NULL, 'Unknown' for text, or []. -#}
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
