{{ config(order_by=['device_type_key', 'device_type']) }}

(
    {{ dim_device_type_select('video_interactions', source('cleaned', 'video_interactions'), only=days()) }}
)
union all
(
    {{ dim_device_type_select('live_streaming', source('cleaned', 'live_streaming'), only=days()) }}
)
