{{ config(
    order_by=['account_key', 'post_key', 'platform_key', 'metric_type'],
    index_granularity=1024,
) }}

{{ engagement_daily_select(ref('fact_engagement'), only=days()) }}
