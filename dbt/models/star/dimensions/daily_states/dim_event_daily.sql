{{ config(order_by=['event_key', 'event_id']) }}

{{ dim_event_select('live_streaming', source('cleaned', 'live_streaming'), only=days()) }}
