{{ config(order_by=['community_key', 'user_key']) }}

{{ fact_community_interactions_select(source('cleaned', 'community_interactions'), only=days()) }}
