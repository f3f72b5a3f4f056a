{{ dimension_members('platform', 'platform', dim_platform_attributes(), ref('dim_platform_daily')) }}
