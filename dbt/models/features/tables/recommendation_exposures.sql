-- One day after a day has feedback to its exposures, and exposures that come before that feedback.
{{ config(order_by=['platform_key', 'user_key', 'event_time', 'position'], days_after=1) }}

{{ recommendation_exposures_select(
    exposures=source('cleaned', 'recommendation_exposures'),
    feedback=source('cleaned', 'recommendation_feedback'),
    only=days_around(),
) }}
