{#- The counters of a post, as `cleaned.post_counters` names them. -#}
{% macro post_counter_names() %}
    {{ return(['likes', 'comments', 'shares', 'saves', 'quotes', 'views', 'reach']) }}
{% endmacro %}

{#-
  The increments that `records` bring: one row a post, counter and collection.

  `snapshots` are all counters that have landed, under another name than `records`, since ClickHouse
  gives a materialized view the inserted block for every mention of its source.

  A row that lands between two known collections changes the increment of the later one. So the
  increments of a post are computed without `records` and with them, and the differences are rows:
  their sums are right whatever the order of arrival. For a whole day as `records` the differences
  on that day are its increments, from nothing.

  Of history the day before `records` and all after it are read, and older days only for posts that
  the day before does not tell. `only` keeps some days of `records`, `until` ends history with them.
-#}
{% macro post_counter_increments_select(records, snapshots, only='', until='') %}
{%- set columns = 'platform, account_id, post_id, endpoint, collected_at' -%}
{%- set totals = '[' ~ post_counter_names() | join(', ') ~ '] as totals' -%}
{%- set times = 'arrayMap(total -> if(total is null, null, collected_at), totals)' -%}
with inserted as (
    select
        {{ columns }},
        {{ totals }}
    from {{ records }}
    {{ only }}
),

since as (
    select min(event_date) - 1 as first_day
    from {{ records }}
    {{ only }}
),

recent as (
    select
        {{ columns }},
        {{ totals }}
    from {{ snapshots }}
    where
        event_date >= (select first_day from since)
        {{ until }}
        and (platform, post_id) in (select platform, post_id from inserted)
),

-- The posts of which a counter is told for the first time since that day.
lacking as (
    select
        platform,
        post_id
    from (
        select platform, post_id, collected_at, totals, 1 as is_new from inserted
        union all
        select platform, post_id, collected_at, totals, 0 as is_new from recent
    )
    group by
        platform,
        post_id
    having arrayExists(
        (first_new, first_known) -> first_new is not null and coalesce(first_known >= first_new, true),
        minForEachIf({{ times }}, is_new = 1),
        arrayResize(minForEachIf({{ times }}, is_new = 0), {{ post_counter_names() | length }}, null)
    )
),

older as (
    select
        {{ columns }},
        {{ totals }}
    from {{ snapshots }}
    where
        event_date < (select first_day from since)
        and (platform, post_id) in (select platform, post_id from lacking)
),

-- A row of `records` is in history too.
snapshots as (
    select
        {{ columns }},
        any(totals) as totals,
        max(is_new) as is_new
    from (
        select {{ columns }}, totals, 1 as is_new from inserted
        union all
        select {{ columns }}, totals, 0 as is_new from recent
        union all
        select {{ columns }}, totals, 0 as is_new from older
    )
    group by
        {{ columns }}
),

posts as (
    select
        platform,
        account_id,
        post_id,
        groupArray((collected_at, totals, is_new)) as told
    from snapshots
    group by
        platform,
        account_id,
        post_id
),

named as (
    select
        platform,
        account_id,
        post_id,
        told,
        arrayJoin([
            {%- for name in post_counter_names() %}
            ('{{ name }}', {{ loop.index }}){{ ',' if not loop.last }}
            {%- endfor %}
        ]) as name
    from posts
),

-- Of each counter the totals in order of time. Of two endpoints that tell it at once, the higher
-- one is the newer one, and comes last.
counted as (
    select
        platform,
        account_id,
        post_id,
        name.1 as counter,
        arraySort(arrayMap(
            one -> (one.1, assumeNotNull(one.2[name.2]), one.3),
            arrayFilter(one -> one.2[name.2] is not null, told)
        )) as known,
        arrayMap(one -> one.1, arrayFilter(one -> one.3 = 1, known)) as new_times
    from named
    where notEmpty(new_times)
),

-- From the last one before `records` to the first one after them.
near as (
    select
        platform,
        account_id,
        post_id,
        counter,
        arrayLast(one -> one.1 < new_times[1], known).1 as first_time,
        arrayFirst(one -> one.1 > new_times[-1], known).1 as last_time,
        arrayFilter(
            one -> one.1 >= first_time and (one.1 <= new_times[-1] or one.1 = last_time), known
        ) as told
    from counted
),

-- With `records` (1) and without them (-1).
series as (
    select
        platform,
        account_id,
        post_id,
        counter,
        arrayJoin([1, -1]) as sign,
        arrayFilter(one -> sign = 1 or one.3 = 0, told) as doubled,
        arrayMap(pair -> pair.1, arrayFilter(
            pair -> pair.1.1 != pair.2.1, arrayZip(doubled, arrayShiftLeft(doubled, 1))
        )) as ordered
    from near
),

paired as (
    select
        platform,
        account_id,
        post_id,
        counter,
        sign,
        arrayJoin(arrayZip(
            ordered,
            arrayPushFront(
                arrayMap(one -> (toNullable(one.1), toNullable(one.2)), arrayPopBack(ordered)), (null, null)
            )
        )) as pair
    from series
    where notEmpty(ordered)
),

compared as (
    select
        platform,
        account_id,
        post_id,
        counter,
        sign,
        pair.1.1 as collected_at,
        pair.1.2 as total,
        pair.1.3 as is_new,
        pair.2.1 as collected_before,
        pair.2.2 as total_before
    from paired
),

differences as (
    select
        platform,
        account_id,
        post_id,
        counter,
        collected_at,
        maxIf(compared.collected_before, sign = 1) as collected_before,
        maxIf(compared.collected_before, sign = -1) as known_before,
        max(compared.total) as total,
        max(is_new) as is_new,
        sum(if(total_before is null, sign * compared.total, 0)) as initial,
        sum(coalesce(sign * greatest(compared.total - total_before, 0), 0)) as added,
        sum(coalesce(sign * greatest(total_before - compared.total, 0), 0)) as taken_back
    from compared
    group by
        platform,
        account_id,
        post_id,
        counter,
        collected_at
)

select
    toDate(collected_at, 'UTC') as event_date,
    collected_at,
    collected_before,
    platform,
    account_id,
    post_id,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('account_id') }} as account_key,
    {{ surrogate_key('post_id') }} as post_key,
    counter,
    total,
    initial,
    added,
    taken_back
from differences
where
    is_new = 1
    or initial != 0
    or added != 0
    or taken_back != 0
    or coalesce(collected_before != known_before, false)
{% endmacro %}
