{{ config(order_by=['connection_type_key', 'connection_type']) }}

{{ dim_connection_type_select('video_interactions', source('cleaned', 'video_interactions'), only=days()) }}
