{#- Partial sums by stream and platform; `only` keeps some days of `fact`. -#}
{% macro platform_daily_select(stream, fact, only='') %}
with interactions_of_stream as (
    select
        event_date,
        platform_key,
        user_key,
        {{ engagement_of(stream) }} as engagement_of_row
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    toLowCardinality('{{ stream }}') as stream,
    platform_key,
    sumSimpleState(toUInt64(1)) as interactions,
    sumSimpleState(engagement_of_row) as engagement_sum,
    {{ users_state() }} as users
from interactions_of_stream
group by
    event_date,
    platform_key
{% endmacro %}
