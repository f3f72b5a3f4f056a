{#- The measures of engagement over the rows of a finer rollup, called `{{ rows }}`: sums of sums, and
    merged states. -#}
{% macro merged_engagement(rows) -%}
    sumSimpleState({{ rows }}.events) as events,
    sumSimpleState({{ rows }}.value_sum) as value_sum,
    uniqCombinedMergeState({{ rows }}.users) as users,
    quantilesBFloat16MergeState(0.5, 0.9, 0.99)({{ rows }}.value_quantiles) as value_quantiles
{%- endmacro %}
