{#- Rows that name a user: the member 'Unknown' stands for audiences (`users_state`). -#}
{% macro is_known_user() -%}
    user_key != {{ surrogate_key("'Unknown'") }}
{%- endmacro %}
