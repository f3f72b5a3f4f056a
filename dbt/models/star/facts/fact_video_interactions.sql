{{ config(order_by=['video_key', 'user_key']) }}

{{ fact_video_interactions_select(source('cleaned', 'video_interactions'), only=days()) }}
