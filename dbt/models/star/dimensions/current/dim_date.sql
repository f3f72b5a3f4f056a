with calendar as (
    select toDate(number) as calendar_date
    from numbers(65536)
)

select
    {{ surrogate_key('calendar_date') }} as date_key,
    lower(hex(date_key)) as date_key_hex,
    calendar_date,
    toYear(calendar_date) as year,
    toQuarter(calendar_date) as quarter,
    toMonth(calendar_date) as month,
    toDayOfMonth(calendar_date) as day_of_month,
    toDayOfWeek(calendar_date) as day_of_week,
    toISOWeek(calendar_date) as iso_week,
    toISOYear(calendar_date) as iso_year,
    dateName('weekday', calendar_date) as weekday,
    day_of_week > 5 as is_weekend
from calendar
