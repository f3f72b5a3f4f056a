{#-
  The increments of each counter are conserved: the first total and what was added, less what was
  taken back, are what the stream's newest collection tells. Compared with the stream itself, so that a row or a counter that
  the table leaves out is found.
-#}
{% test increments_add_up(model, column_name, initial, taken_back, stream, counters) %}
with newest as (
    select
        platform,
        account_id,
        post_id,
        [
        {%- for counter in counters %}
            ('{{ counter }}', argMax({{ counter }}, (collected_at, {{ counter }})))
            {{- ',' if not loop.last }}
        {%- endfor %}
        ] as totals
    from {{ stream }}
    group by
        platform,
        account_id,
        post_id
),

told as (
    select
        platform,
        account_id,
        post_id,
        total.1 as counter,
        assumeNotNull(total.2) as newest_total
    from newest
    array join totals as total
    where total.2 is not null
),

sums as (
    select
        platform,
        account_id,
        post_id,
        counter,
        sum({{ initial }}) + sum({{ column_name }}) - sum({{ taken_back }}) as summed
    from {{ model }}
    group by
        platform,
        account_id,
        post_id,
        counter
)

select
    platform,
    account_id,
    post_id,
    counter,
    newest_total,
    summed
from told
full join sums using (platform, account_id, post_id, counter)
where newest_total != summed
{% endtest %}
