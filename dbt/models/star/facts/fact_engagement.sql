{{ config(order_by=['account_key', 'post_key', 'event_time']) }}

{{ fact_engagement_select(source('cleaned', 'engagement_events'), only=days()) }}
