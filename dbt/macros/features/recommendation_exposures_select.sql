{#-
  One row an item that was shown, with the feedback that belongs to it: that of the user for the item
  within the window of the contract, if no later exposure shows the item to the user before it.
  `only` keeps some days of both streams: the exposures of a day need the day after it.

  Exposures at the same time have no order: the one with the smallest id and position counts.
-#}
{% macro recommendation_exposures_select(exposures, feedback, only) %}
with shown as (
    select
        event_date,
        shown_at,
        platform,
        user_id,
        item_id,
        exposure_id,
        position,
        model,
        model_version,
        placement,
        propensity
    from {{ exposures }}
    {{ only }} and shown_at is not null
),

first_shown as (
    select
        platform,
        user_id,
        item_id,
        shown_at,
        min(event_date) as shown_on,
        min((exposure_id, position)) as first_of_time
    from shown
    group by
        platform,
        user_id,
        item_id,
        shown_at
),

feedback as (
    select
        event_date,
        happened_at,
        platform,
        user_id,
        item_id,
        kind,
        dwell_seconds
    from {{ feedback }}
    {{ only }} and happened_at is not null
),

belonging as (
    select
        first_shown.shown_on as shown_on,
        first_shown.first_of_time as first_of_time,
        feedback.event_date as event_date,
        feedback.kind as kind,
        feedback.dwell_seconds as dwell_seconds
    from feedback
    asof inner join first_shown
        on
            feedback.platform = first_shown.platform
            and feedback.user_id = first_shown.user_id
            and feedback.item_id = first_shown.item_id
            and feedback.happened_at >= first_shown.shown_at
    where feedback.happened_at < first_shown.shown_at + interval {{ feedback_window_seconds() }} second
),

summed as (
    select
        shown_on,
        first_of_time,
        count() as feedback_events,
        countIf(event_date > shown_on) as feedback_after_midnight,
        countIf(kind = 'click') as clicks,
        countIf(kind = 'skip') as skips,
        countIf(kind = 'dwell') as dwells,
        sumIf(ifNull(dwell_seconds, 0.), kind = 'dwell') as dwell_seconds_sum
    from belonging
    group by
        shown_on,
        first_of_time
)

select
    shown.event_date as event_date,
    shown.shown_at as event_time,
    {{ surrogate_key('shown.platform') }} as platform_key,
    {{ surrogate_key('shown.user_id') }} as user_key,
    {{ surrogate_key('shown.item_id') }} as item_key,
    shown.exposure_id as exposure_id,
    toUInt16(shown.position) as position,
    leftPad(toString(shown.position), greatest(2, length(toString(shown.position))), '0') as place,
    shown.model as model,
    shown.model_version as model_version,
    shown.placement as placement,
    shown.propensity as propensity,
    summed.feedback_events as feedback_events,
    summed.feedback_after_midnight as feedback_after_midnight,
    summed.clicks as clicks,
    summed.skips as skips,
    summed.dwells as dwells,
    summed.dwell_seconds_sum as dwell_seconds,
    toUInt8(summed.clicks > 0) as is_clicked
from shown
left join summed
    on
        shown.event_date = summed.shown_on
        and (shown.exposure_id, shown.position) = summed.first_of_time
{% endmacro %}
