{#-
  A view on a rollup shows all of it, and nothing twice: by day, a measure sums up to the same.
  Of all days, since a check that passes says so of all.
-#}
{% test adds_up_to(model, column_name, rollup) %}
with shown as (
    select event_date, sum({{ column_name }}) as total from {{ model }} group by event_date
),

kept as (
    select event_date, sum({{ column_name }}) as total from {{ rollup }} group by event_date
)

select
    event_date,
    shown.total as shown_total,
    kept.total as kept_total
from shown
full join kept using (event_date)
where shown.total != kept.total
{% endtest %}
