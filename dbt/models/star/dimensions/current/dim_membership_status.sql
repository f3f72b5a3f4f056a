{{ dimension_members('membership_status', 'membership_status', dim_membership_status_attributes(), ref('dim_membership_status_daily')) }}
