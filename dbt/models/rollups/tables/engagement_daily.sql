{{ config(order_by=['account_key', 'post_key', 'platform_key', 'metric_type']) }}

{{ engagement_daily_select(ref('fact_engagement'), only=days()) }}
