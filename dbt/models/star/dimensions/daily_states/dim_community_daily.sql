{{ config(order_by=['community_key', 'community_id']) }}

{{ dim_community_select('community_interactions', source('cleaned', 'community_interactions'), only=days()) }}
