with minutes as (
    select
        formatDateTime(toDateTime(number * 60, 'UTC'), '%H:%i') as time_of_day,
        toUInt8(intDiv(number, 60)) as hour,
        toUInt8(number % 60) as minute
    from numbers(1440)
),

members as (
    select
        time_of_day,
        toNullable(hour) as hour,
        toNullable(minute) as minute,
        multiIf(hour < 6, 'Night', hour < 12, 'Morning', hour < 18, 'Afternoon', 'Evening')
            as part_of_day
    from minutes

    union all

    select
        'Unknown' as time_of_day,
        null as hour,
        null as minute,
        'Unknown' as part_of_day
)

select
    {{ surrogate_key('time_of_day') }} as time_key,
    lower(hex(time_key)) as time_key_hex,
    time_of_day,
    hour,
    minute,
    part_of_day
from members
