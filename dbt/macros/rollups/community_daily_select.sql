{#- Partial sums by community and membership status; `only` keeps some days of `fact`. -#}
{% macro community_daily_select(fact, only='') %}
with interactions_of_day as (
    select
        event_date,
        community_key,
        platform_key,
        membership_status_key,
        user_key,
        community_engagement,
        total_time_spent
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    community_key,
    platform_key,
    membership_status_key,
    sumSimpleState(toUInt64(1)) as interactions,
    sumSimpleState(community_engagement) as engagement_sum,
    sumSimpleState(total_time_spent) as minutes_sum,
    {{ users_state() }} as users
from interactions_of_day
group by
    event_date,
    community_key,
    platform_key,
    membership_status_key
{% endmacro %}
