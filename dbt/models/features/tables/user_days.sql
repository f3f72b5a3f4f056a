{{ config(order_by=['platform_key', 'user_key']) }}

with active as (
    {%- for fact in (
        'fact_engagement',
        'fact_video_interactions',
        'fact_live_streaming_interactions',
        'fact_community_interactions',
    ) %}
    select
        event_date,
        platform_key,
        user_key
    from {{ ref(fact) }}
    {{ days() }} and {{ is_known_user() }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    event_date,
    platform_key,
    user_key,
    count() as events
from active
group by
    event_date,
    platform_key,
    user_key
