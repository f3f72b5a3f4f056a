{{ config(order_by=['os_key', 'os']) }}

{{ dim_os_select('video_interactions', source('cleaned', 'video_interactions'), only=days()) }}
