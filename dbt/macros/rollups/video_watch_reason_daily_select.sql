{#- Partial sums of watching by reason; `only` keeps some days of `fact`. -#}
{% macro video_watch_reason_daily_select(fact, only='') %}
with interactions_of_day as (
    select
        event_date,
        watch_reason,
        platform_key,
        user_key,
        engagement,
        time_spent_on_video,
        productivity_loss,
        satisfaction,
        self_control,
        addiction_level
    from {{ fact }}
    {{ only }}
)

select
    event_date,
    watch_reason,
    platform_key,
    sumSimpleState(toUInt64(1)) as interactions,
    sumSimpleState(engagement) as engagement_sum,
    sumSimpleState(time_spent_on_video) as minutes_sum,
    sumSimpleState(productivity_loss) as productivity_loss_sum,
    sumSimpleState(satisfaction) as satisfaction_sum,
    sumSimpleState(self_control) as self_control_sum,
    sumSimpleState(addiction_level) as addiction_level_sum,
    {{ users_state() }} as users,
    {{ quantiles_state('time_spent_on_video') }} as minutes_quantiles
from interactions_of_day
group by
    event_date,
    watch_reason,
    platform_key
{% endmacro %}
