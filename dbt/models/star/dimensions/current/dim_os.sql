{{ dimension_members('os', 'os', dim_os_attributes(), ref('dim_os_daily')) }}
