{{ dimension_members('user', 'user_id', dim_user_attributes(), ref('dim_user_daily')) }}
