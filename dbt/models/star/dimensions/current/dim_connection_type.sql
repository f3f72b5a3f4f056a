{{ dimension_members('connection_type', 'connection_type', dim_connection_type_attributes(), ref('dim_connection_type_daily')) }}
