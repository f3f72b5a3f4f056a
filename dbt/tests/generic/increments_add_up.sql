{#-
  The increments of a counter are conserved: what was added less what was taken back, from the first
  collection on, is the newest total.
-#}
{% test increments_add_up(model, column_name, taken_back, total, of, at) %}
with sums as (
    select
        {{ of | join(', ') }},
        sum(toInt64({{ column_name }})) - sum(toInt64({{ taken_back }})) as summed,
        argMax({{ total }}, {{ at }}) as newest
    from {{ model }}
    group by {{ of | join(', ') }}
)

select
    {{ of | join(', ') }},
    summed,
    newest
from sums
where summed != newest
{% endtest %}
