-- The same days as those of the exposures that a run rebuilds.
{{ config(
    engine='AggregatingMergeTree',
    order_by=['platform_key', 'placement', 'model', 'place'],
    days_after=1,
) }}

with exposures as (
    select
        event_date,
        platform_key,
        user_key,
        placement,
        model,
        place,
        clicks,
        skips,
        dwells,
        dwell_seconds,
        is_clicked
    from {{ ref('recommendation_exposures') }}
    {{ days() }}
)

select
    event_date,
    platform_key,
    placement,
    model,
    place,
    sumSimpleState(toUInt64(1)) as exposures,
    sumSimpleState(toUInt64(is_clicked)) as clicked,
    sumSimpleState(clicks) as clicks_sum,
    sumSimpleState(skips) as skips_sum,
    sumSimpleState(dwells) as dwells_sum,
    sumSimpleState(dwell_seconds) as dwell_seconds_sum,
    {{ users_state() }} as users
from exposures
group by
    event_date,
    platform_key,
    placement,
    model,
    place
