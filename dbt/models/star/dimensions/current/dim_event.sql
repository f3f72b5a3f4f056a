{{ dimension_members('event', 'event_id', dim_event_attributes(), ref('dim_event_daily')) }}
