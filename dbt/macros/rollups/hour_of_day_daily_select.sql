{#- Partial sums by stream, platform and hour; `only` keeps some days of `fact`. -#}
{% macro hour_of_day_daily_select(stream, fact, only='') %}
with interactions_of_stream as (
    select
        event_date,
        platform_key,
        user_key,
        {{ hour_of_day_of(stream) }} as hour_of_row,
        {{ engagement_of(stream) }} as engagement_of_row
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    toLowCardinality('{{ stream }}') as stream,
    platform_key,
    hour_of_row as hour_of_day,
    sumSimpleState(toUInt64(1)) as interactions,
    sumSimpleState(engagement_of_row) as engagement_sum,
    {{ users_state() }} as users
from interactions_of_stream
group by
    event_date,
    platform_key,
    hour_of_row
{% endmacro %}
