{{ config(order_by=['event_key', 'user_key']) }}

{{ fact_live_streaming_interactions_select(source('cleaned', 'live_streaming'), only=days()) }}
