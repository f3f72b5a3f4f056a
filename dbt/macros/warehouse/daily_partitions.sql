{#-
  A table of days: partitioned by `event_date`, written by materialized views as rows arrive, and
  rebuilt day by day from the same SELECT.

  Without the vars `from_date` and `to_date` a run creates the table, or adds missing columns. With
  them it also swaps these days, both included: the new rows go to a staging table, which feeds no
  view, so that nothing is counted twice. Then each day changes in one step, so that readers see it
  before or after; a day without rows is dropped.

  The adapter's `incremental` with `insert_overwrite` is not used: its contracts take FixedString
  for String and refuse it, so that a table could have neither our keys nor codecs; and it does not
  empty a day that has no rows any more.

  The columns, with types and codecs, are those of the model's YAML.
-#}
{% materialization daily_partitions, adapter='clickhouse' %}
    {%- set target_table = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks) }}
    {%- if load_cached_relation(this) is none -%}
        {% call statement('main') %} {{ create_table_of_days(target_table) }} {% endcall %}
    {%- elif not var('from_date', none) -%}
        {% call statement('main') %} {{ add_missing_columns(target_table) }} {% endcall %}
    {%- endif -%}
    {%- if var('from_date', none) -%}
        {% do swap_days(target_table, sql) %}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_table]}) }}
{% endmaterialization %}

{% macro create_table_of_days(table) %}
    create table if not exists {{ table }} {{ on_cluster_clause(table) }} (
        {%- for column in model.columns.values() %}
        {{ column_definition(column) }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
    engine = {{ config.require('engine') }}
    partition by event_date
    order by ({{ config.require('order_by') | join(', ') }})
    settings non_replicated_deduplication_window = {{ config.require('deduplication_window') }}
    comment {{ quoted(model.description) }}
{% endmacro %}

{% macro column_definition(column) -%}
    {{ adapter.quote(column.name) }} {{ column.data_type }} comment {{ quoted(column.description) }}
    {%- if column.codec %} codec({{ column.codec }}) {%- endif -%}
{%- endmacro %}

{#- Adds new columns of the model; raises an error for changes that are not possible in place. -#}
{% macro add_missing_columns(table) %}
    {%- set present = {} -%}
    {%- for name, type in run_query(
        "select name, type from system.columns where database = '" ~ table.schema
        ~ "' and table = '" ~ table.identifier ~ "'"
    ).rows -%}
        {%- do present.update({name: type}) -%}
    {%- endfor -%}
    {%- set missing, changed = [], [] -%}
    {%- for column in model.columns.values() -%}
        {%- if column.name not in present -%}
            {%- do missing.append(column) -%}
        {%- elif present[column.name] != column.data_type -%}
            {%- do changed.append(
                column.name ~ ' is ' ~ present[column.name] ~ ', the model says ' ~ column.data_type
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if changed -%}
        {% do exceptions.raise_compiler_error(
            table ~ ' differs from its model: ' ~ changed | join('; ')
            ~ '. Drop the table and run a backfill of its days; cleaned data is not touched'
        ) %}
    {%- endif -%}
    {%- if missing -%}
        alter table {{ table }} {{ on_cluster_clause(table) }}
        {%- for column in missing %}
        add column if not exists {{ column_definition(column) }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- else -%}
        select 'no column is missing'
    {%- endif -%}
{% endmacro %}

{% macro swap_days(table, select) %}
    {%- set columns = model.columns.values() | map(attribute='name') | map('string') | list -%}
    {%- set staging = table.incorporate(
        path={'identifier': table.identifier ~ '__staging_' ~ invocation_id.replace('-', '_')}
    ) -%}
    {% call statement('create_staging') %}
        create table {{ staging }} {{ on_cluster_clause(staging) }} as {{ table }}
    {% endcall %}
    {% call statement('main') %}
        insert into {{ staging }} ({{ columns | join(', ') }})
        select {{ columns | join(', ') }}
        from ({{ select }})
    {% endcall %}
    {%- set days = run_query(days_of_both(table, staging)).rows -%}
    {%- if days -%}
        {% call statement('swap_days') %}
            alter table {{ table }} {{ on_cluster_clause(table) }}
            {%- for partition_id, has_rows in days %}
                {{ 'replace' if has_rows else 'drop' }} partition id '{{ partition_id }}'
                {{- ' from ' ~ staging if has_rows }}{{ ',' if not loop.last }}
            {%- endfor %}
        {% endcall %}
    {%- endif -%}
    {% call statement('drop_staging') %}
        drop table {{ staging }} {{ on_cluster_clause(staging) }} sync
    {% endcall %}
{% endmacro %}

{#- The days of this run that the table or the staging table holds, and whether they have new rows. -#}
{% macro days_of_both(table, staging) %}
    select
        partition_id,
        toUInt8(max(table = '{{ staging.identifier }}')) as has_rows
    from system.parts
    where
        active
        and database = '{{ table.schema }}'
        and table in ('{{ table.identifier }}', '{{ staging.identifier }}')
        and partition_id between '{{ (var('from_date') | string).replace('-', '') }}'
            and '{{ (var('to_date') | string).replace('-', '') }}'
    group by partition_id
    order by partition_id
{% endmacro %}

{% macro quoted(text) -%}
    '{{ text | replace('\\', '\\\\') | replace("'", "\\'") | trim }}'
{%- endmacro %}
