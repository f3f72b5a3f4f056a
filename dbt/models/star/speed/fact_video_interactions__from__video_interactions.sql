{{ materialization_target_table(ref('fact_video_interactions')) }}
{{ fact_video_interactions_select(source('cleaned', 'video_interactions')) }}
