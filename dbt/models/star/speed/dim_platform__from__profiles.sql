{{ materialization_target_table(ref('dim_platform_daily')) }}
{{ dim_platform_select('profiles', source('cleaned', 'profiles')) }}
