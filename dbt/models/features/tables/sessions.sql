-- Two days before a day tell whether its first events go on with a session; one day after it, until
-- when its sessions last.
{{ config(
    order_by=['platform_key', 'user_key', 'event_time'],
    days_before=2,
    days_after=1,
    days_at_once=2,
) }}

{{ sessions_select(only=days_around()) }}
