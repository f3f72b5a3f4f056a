{#- What a reaction tells of a user's interest in a post: weights of the contract (`interest_weights`). -#}
{% macro interest_of_reaction() -%}
    toDecimal64(
        least(value, {{ interest_weights()['largest_value'] }}) * transform(
            metric_type,
            {{ interest_weights()['weights'].keys() | list }},
            {{ interest_weights()['weights'].values() | list }},
            0.
        ),
        6
    )
{%- endmacro %}
