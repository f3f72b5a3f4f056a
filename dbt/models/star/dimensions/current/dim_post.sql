{{ dimension_members('post', 'post_id', dim_post_attributes(), ref('dim_post_daily')) }}
