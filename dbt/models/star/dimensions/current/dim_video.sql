{{ dimension_members('video', 'video_id', dim_video_attributes(), ref('dim_video_daily')) }}
