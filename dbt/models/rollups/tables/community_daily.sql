{{ config(order_by=['community_key', 'platform_key', 'membership_status_key']) }}

{{ community_daily_select(ref('fact_community_interactions'), only=days()) }}
