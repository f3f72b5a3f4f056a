{{ materialization_target_table(ref('dim_platform_daily')) }}
{{ dim_platform_select('posts', source('cleaned', 'posts')) }}
