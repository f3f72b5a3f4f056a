{#-
  The quality score of an account: its numbers. docs/collection.md tells the formula. ClickHouse's
  `least` passes over NULL: a part that is not known must not become 1.
-#}

{#- What a complete profile tells, if the contract `profiles` finds it in the platform's records. -#}
{% macro profile_fields() %}
    {{ return(['display_name', 'biography', 'category', 'website', 'picture_url', 'country']) }}
{% endmacro %}

{#- Of a platform whose records tell them under their own names. -#}
{% macro profile_fields_of_others() %}
    {{ return(['display_name', 'biography']) }}
{% endmacro %}

{#- The part of these fields that a profile tells; all, if its platform has none of them. -#}
{% macro told_part(fields) -%}
    {% if not fields %}1{% else %}({% for field in fields %}({{ field }} is not null){{ ' + ' if not loop.last }}{% endfor %}) / {{ fields | length }}{% endif %}
{%- endmacro %}

{#- The part of a complete profile that a profile tells, 0 to 1. -#}
{% macro completeness() -%}
    multiIf(
        {%- for platform, columns in columns_of_platforms('profiles').items() %}
        platform = '{{ platform }}', {{ told_part(profile_fields() | select('in', columns) | list) }},
        {%- endfor %}
        {{ told_part(profile_fields_of_others()) }}
    )
{%- endmacro %}

{#- 1 if an engagement rate lies between 0.02 % and 20 %; less, the further it is outside. -#}
{% macro plausibility(engagement_rate) -%}
    if({{ engagement_rate }} is null, null, least(
        1, {{ engagement_rate }} / 0.0002, coalesce(0.2 / nullIf({{ engagement_rate }}, 0), 1)
    ))
{%- endmacro %}

{#- 1 if the followers stay; 0 if they once changed by a fifth a day, or more. -#}
{% macro steadiness(largest_daily_change) -%}
    if({{ largest_daily_change }} is null, null, 1 - least(1, 5 * {{ largest_daily_change }}))
{%- endmacro %}

{% macro quality_score() -%}
    0.3 * completeness + 0.4 * plausibility + 0.3 * steadiness
{%- endmacro %}
