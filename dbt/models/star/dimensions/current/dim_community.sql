{{ dimension_members('community', 'community_id', dim_community_attributes(), ref('dim_community_daily')) }}
