{{ materialization_target_table(ref('account_days')) }}
{{ account_days_select(source('cleaned', 'profiles')) }}
