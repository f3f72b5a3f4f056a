{#-
  The members of one dimension in the records of one stream, one row a member and day.

  `natural_key` is the SQL of the key in `records`, stored as column `key_column`; `attributes`
  are the dimension's columns and their types, of which the stream has those in `told`. The others
  are unknown here, so that the values of other streams are kept. `only` keeps some days.
-#}
{% macro dimension_select(dimension, key_column, natural_key, attributes, told, records, only) %}
with seen as (
    select
        event_date,
        event_time,
        {{ natural_key }} as natural_key
        {%- for attribute in attributes if attribute in told %},
        {{ attribute }}
        {%- endfor %}
    from {{ records }}
    {{ only }}
),

members as (
    select
        event_date,
        natural_key
        {%- for attribute, type in attributes.items() if attribute in told %},
        {{ newest(attribute, type) }} as newest_{{ attribute }}
        {%- endfor %},
        min(event_time) as first_seen,
        max(event_time) as last_seen
    from seen
    group by
        event_date,
        natural_key
)

select
    event_date,
    {{ surrogate_key('natural_key') }} as {{ dimension }}_key,
    natural_key as {{ key_column }}
    {%- for attribute in attributes %},
    {{ 'newest_' ~ attribute if attribute in told else "''" }} as {{ attribute }}
    {%- endfor %},
    first_seen as first_seen_at,
    last_seen as last_seen_at
from members
{% endmacro %}

{#- One row a member: the states of all days merged. -#}
{% macro dimension_members(dimension, key_column, attributes, states) %}
select
    {{ dimension }}_key,
    lower(hex({{ dimension }}_key)) as {{ dimension }}_key_hex,
    {{ key_column }}
    {%- for attribute, type in attributes.items() %},
    {{ newest_value('states.' ~ attribute, type) }} as {{ attribute }}
    {%- endfor %},
    min(states.first_seen_at) as first_seen_at,
    max(states.last_seen_at) as last_seen_at
from {{ states }} as states
group by
    {{ dimension }}_key,
    {{ key_column }}
{% endmacro %}
