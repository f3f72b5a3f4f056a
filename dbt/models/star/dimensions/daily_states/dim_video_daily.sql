{{ config(order_by=['video_key', 'video_id']) }}

{{ dim_video_select('video_interactions', source('cleaned', 'video_interactions'), only=days()) }}
