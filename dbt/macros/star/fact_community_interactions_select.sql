{#- One row a community, member and day; `only` keeps some days of `interactions`. -#}
{% macro fact_community_interactions_select(interactions, only='') %}
with accepted as (
    select
        event_date,
        event_time,
        community_id,
        user_id,
        platform,
        membership_status,
        age_group,
        gender,
        community_engagement,
        total_time_spent
    from {{ interactions }}
    {{ only }}
)

select
    event_date,
    event_time,
    {{ surrogate_key('community_id') }} as community_key,
    {{ surrogate_key('user_id') }} as user_key,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('membership_status') }} as membership_status_key,
    {{ surrogate_key('toLowCardinality(event_date)') }} as date_key,
    age_group,
    gender,
    community_engagement,
    total_time_spent
from accepted
{% endmacro %}
