{{ dimension_members('account', 'account_id', dim_account_attributes(), ref('dim_account_daily')) }}
