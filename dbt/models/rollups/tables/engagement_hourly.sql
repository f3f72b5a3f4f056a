{{ config(order_by=['account_key', 'post_key', 'platform_key', 'metric_type', 'event_hour']) }}

{{ engagement_hourly_select(ref('fact_engagement'), only=days()) }}
