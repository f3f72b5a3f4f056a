{#- Distinct users as a state; the member 'Unknown', which stands for audiences, is not a user. -#}
{% macro users_state() -%}
    uniqCombinedStateIf(user_key, user_key != {{ surrogate_key("'Unknown'") }})
{%- endmacro %}

{#- Median, 90th and 99th percentile as a state: right to 0.4 %, whatever the order in which rows
    come, and a fifth cheaper to write and merge than quantilesTDigest. -#}
{% macro quantiles_state(metric) -%}
    quantilesBFloat16State(0.5, 0.9, 0.99)({{ metric }})
{%- endmacro %}
