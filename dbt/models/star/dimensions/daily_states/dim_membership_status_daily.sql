{{ config(order_by=['membership_status_key', 'membership_status']) }}

{{ dim_membership_status_select('community_interactions', source('cleaned', 'community_interactions'), only=days()) }}
