{{ materialization_target_table(ref('dim_post_daily')) }}
{{ dim_post_select('posts', source('cleaned', 'posts')) }}
