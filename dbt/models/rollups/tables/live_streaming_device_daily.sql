{{ config(order_by=['device_type_key', 'platform_key']) }}

{{ live_streaming_device_daily_select(ref('fact_live_streaming_interactions'), only=days()) }}
