{{ materialization_target_table(ref('dim_account_daily')) }}
{{ dim_account_select('posts', source('cleaned', 'posts')) }}
