with newest as (
    select
        days.event_date as event_date,
        days.platform as platform,
        days.account_id as account_id,
        {{ surrogate_key('days.platform') }} as platform_key,
        {{ surrogate_key('days.account_id') }} as account_key,
        max(days.collected_at) as collected_at
        {%- for attribute, type in account_day_attributes().items() %},
        {%- set state = 'max(days.' ~ attribute ~ ')' %}
        accurateCastOrNull(if({{ state }} = '', null, substring({{ state }}, 28)), '{{ type }}') as {{ attribute }}
        {%- endfor %}
    from {{ ref('account_days') }} as days
    group by
        days.event_date,
        days.platform,
        days.account_id
),

compared as (
    select
        event_date,
        platform,
        account_id,
        platform_key,
        account_key,
        collected_at,
        handle,
        display_name,
        biography,
        category,
        country,
        website,
        picture_url,
        is_verified,
        followers,
        following,
        posts,
        -- The newest number that is known: it skips days that have none.
        anyLast(followers) over earlier as followers_before,
        first_value(followers) respect nulls over week as followers_week_before,
        first_value(event_date) over week as week_begins,
        first_value(followers) respect nulls over month as followers_month_before,
        first_value(event_date) over month as month_begins
    from newest
    window
        earlier as (
            partition by platform_key, account_key
            order by event_date
            rows between unbounded preceding and 1 preceding
        ),
        week as (
            partition by platform_key, account_key
            order by event_date
            range between 7 preceding and current row
        ),
        month as (
            partition by platform_key, account_key
            order by event_date
            range between 30 preceding and current row
        )
)

select
    event_date,
    collected_at,
    platform,
    account_id,
    platform_key,
    account_key,
    handle,
    display_name,
    biography,
    category,
    country,
    website,
    picture_url,
    is_verified,
    followers,
    following,
    posts,
    followers - followers_before as followers_gained,
    if(week_begins = event_date - 7, followers / nullIf(followers_week_before, 0) - 1, null)
        as growth_7_days,
    if(month_begins = event_date - 30, followers / nullIf(followers_month_before, 0) - 1, null)
        as growth_30_days
from compared
