{{ materialization_target_table(ref('dim_user_daily')) }}
{{ dim_user_select('video_interactions', source('cleaned', 'video_interactions')) }}
