select
    counters.event_date as event_date,
    counters.collected_at as collected_at,
    counters.platform as platform,
    counters.account_id as account_id,
    counters.post_id as post_id,
    counters.endpoint as endpoint,
    {%- for name in post_counter_names() %}
    counters.{{ name }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ source('cleaned', 'post_counters') }} as counters
