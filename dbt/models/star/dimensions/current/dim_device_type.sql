{{ dimension_members('device_type', 'device_type', dim_device_type_attributes(), ref('dim_device_type_daily')) }}
