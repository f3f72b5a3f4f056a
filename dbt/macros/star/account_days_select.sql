{#- What the profiles of a tracked account tell, and their types. -#}
{% macro account_day_attributes() %}
    {{ return({
        'handle': 'String',
        'display_name': 'String',
        'biography': 'String',
        'category': 'String',
        'country': 'String',
        'website': 'String',
        'picture_url': 'String',
        'is_verified': 'Bool',
        'followers': 'Int64',
        'following': 'Int64',
        'posts': 'Int64',
    }) }}
{% endmacro %}

{#- The profiles of a day: of each attribute the newest value that a collection tells. -#}
{% macro account_days_select(profiles, only='') %}
with seen as (
    select
        event_date,
        collected_at as event_time,
        platform,
        account_id
        {%- for attribute in account_day_attributes() %},
        {{ attribute }}
        {%- endfor %}
    from {{ profiles }}
    {{ only }}
)

select
    event_date,
    platform,
    account_id,
    {{ surrogate_key('platform') }} as platform_key,
    {{ surrogate_key('account_id') }} as account_key,
    max(event_time) as collected_at
    {%- for attribute in account_day_attributes() %},
    {{ newest('seen.' ~ attribute, 'Nullable') }} as {{ attribute }}
    {%- endfor %}
from seen
group by
    event_date,
    platform,
    account_id
{% endmacro %}
