{{ materialization_target_table(ref('dim_account_daily')) }}
{{ dim_account_select('profiles', source('cleaned', 'profiles')) }}
