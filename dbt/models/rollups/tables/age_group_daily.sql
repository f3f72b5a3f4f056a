{{ config(order_by=['stream', 'age_group', 'gender']) }}

(
    {{ age_group_daily_select('video_interactions', ref('fact_video_interactions'), only=days()) }}
)
union all
(
    {{ age_group_daily_select('community_interactions', ref('fact_community_interactions'), only=days()) }}
)
