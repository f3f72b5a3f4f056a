{#-
  Attributes that several rows, days and streams tell about one member: the newest known wins.

  The state is a pair (event time, value) under `max`: merging is idempotent and commutative, and
  values of one instant are decided by the greater one, so that every order of arrival ends in
  the same attribute. A pair at the epoch says that the value is not known.
-#}

{#- The state of `column` over a group of rows with `event_time`. -#}
{% macro newest(column, type) -%}
    {%- if type == 'String' -%}
    max((if({{ column }} = 'Unknown', {{ epoch() }}, event_time), toString({{ column }})))
    {%- else -%}
    max((if({{ column }} is null, {{ epoch() }}, event_time), ifNull({{ column }}, {{ default_of(type) }})))
    {%- endif -%}
{%- endmacro %}

{#- The state of a column about which the rows say nothing. -#}
{% macro not_told(type) -%}
    ({{ epoch() }}, {{ "'Unknown'" if type == 'String' else default_of(type) }})
{%- endmacro %}

{#- What the states of a group say: the value; NULL, or 'Unknown' for text, when none is known. -#}
{% macro newest_value(state, type) -%}
    {%- if type == 'String' -%}
    max({{ state }}).2
    {%- else -%}
    if(max({{ state }}).1 > {{ epoch() }}, max({{ state }}).2, null)
    {%- endif -%}
{%- endmacro %}

{% macro epoch() -%} toDateTime64(0, 6, 'UTC') {%- endmacro %}

{% macro default_of(type) -%} defaultValueOfTypeName({{ quoted(type) }}) {%- endmacro %}
