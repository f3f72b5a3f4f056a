{{ config(order_by=['platform_key', 'user_key', 'post_key']) }}

with reactions as (
    select
        event_date,
        platform_key,
        user_key,
        post_key,
        {{ interest_of_reaction() }} as interest_of_row
    from {{ ref('fact_engagement') }}
    {{ days() }} and {{ is_known_user() }}
)

select
    event_date,
    platform_key,
    user_key,
    post_key,
    toFloat64(sum(interest_of_row)) as interest
from reactions
where interest_of_row > 0
group by
    event_date,
    platform_key,
    user_key,
    post_key
