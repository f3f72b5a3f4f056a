{#- Partial sums by stream, age group and gender; `only` keeps some days of `fact`. -#}
{% macro age_group_daily_select(stream, fact, only='') %}
with interactions_of_stream as (
    select
        event_date,
        age_group,
        gender,
        user_key,
        {{ engagement_of(stream) }} as engagement_of_row,
        {{ minutes_of(stream) }} as minutes_of_row
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    toLowCardinality('{{ stream }}') as stream,
    age_group,
    gender,
    sumSimpleState(toUInt64(1)) as interactions,
    sumSimpleState(engagement_of_row) as engagement_sum,
    sumSimpleState(minutes_of_row) as minutes_sum,
    {{ users_state() }} as users
from interactions_of_stream
group by
    event_date,
    age_group,
    gender
{% endmacro %}
