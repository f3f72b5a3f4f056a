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

  With the config `partition_by: toStartOfMonth(event_date)` a partition holds a month, for tables
  that are read over years: a query opens every partition of its range. A rebuilt day then replaces its
  month: the staging table holds the month as it is, without the rebuilt days, and then their new
  rows. The caller must see to it that no view inserts into the month meanwhile.

  With the config `changes_later_days` a row depends on the row before it with the same values in
  these columns. A run also rebuilds each later day that has the next row after a day of the run.

  With the configs `days_before` and `days_after` a row depends on rows of so many days before its own
  day and after it: the model reads them by `days_around()`. A run then also rebuilds as many days
  after its own days and before them, since their rows depend on its days.

  With the config `days_at_once` an INSERT fills that many days: the sketches of users in a group may
  have 96 KiB each, so that the groups of many days exceed the server's memory.

  On a cluster, statements that define a table are made ON CLUSTER. Those that change rows are not:
  the table's replication carries them. ON CLUSTER could run them on a replica that does not have the
  rows of the staging table yet.

  The columns, with types and codecs, are those of the model's YAML. `index_granularity` is the
  number of rows that a query reads at least: small for tables that are asked for a few rows.
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
    engine = {{ engine_of_table(config.require('engine')) }}
    partition by {{ config.get('partition_by', 'event_date') }}
    order by ({{ config.require('order_by') | join(', ') }})
    settings
        {{ deduplication_settings(config.require('deduplication_window')) }},
        index_granularity = {{ config.get('index_granularity', 8192) }}
    comment {{ quoted(model.description) }}
{% endmacro %}

{% macro is_of_months() -%}
    {{ return(config.get('partition_by', '') == 'toStartOfMonth(event_date)') }}
{%- endmacro %}

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
    {%- set staging = table.incorporate(
        path={'identifier': table.identifier ~ '__staging_' ~ invocation_id.replace('-', '_')}
    ) -%}
    {% call statement('create_staging') %}
        create table {{ staging }} {{ on_cluster_clause(staging) }} as {{ table }}
    {% endcall %}
    {%- set months, later_days = [], [] -%}
    {%- for first, last in days_of_inserts() %}
        {% do fill_days(table, staging, select, first, last, months) %}
    {%- endfor %}
    {%- if config.get('changes_later_days') -%}
        {%- for later in run_query(days_of_next_rows(table, staging)).columns[0] %}
            {% do fill_days(table, staging, select, later, later, months) %}
            {%- do later_days.append(later) -%}
        {%- endfor %}
    {%- endif -%}
    {%- set partitions = run_query(partitions_of_both(table, staging, later_days)).rows -%}
    {%- if partitions -%}
        {% call statement('swap_days') %}
            alter table {{ table }}
            {%- for partition_id, has_rows in partitions %}
                {{ 'replace' if has_rows else 'drop' }} partition id '{{ partition_id }}'
                {{- ' from ' ~ staging if has_rows }}{{ ',' if not loop.last }}
            {%- endfor %}
        {% endcall %}
    {%- endif -%}
    {% call statement('drop_staging') %}
        drop table {{ staging }} {{ on_cluster_clause(staging) }} sync
    {% endcall %}
{% endmacro %}

{#- The first day that this run rebuilds: before its own days, if their rows change earlier days. -#}
{% macro first_rebuilt_day() %}
    {%- set first = modules.datetime.date.fromisoformat(var('from_date') | string) -%}
    {{ return(first - modules.datetime.timedelta(days=number_of('days_after'))) }}
{% endmacro %}

{#- The last day that this run rebuilds: after its own days, if their rows change later days. -#}
{% macro last_rebuilt_day() %}
    {%- set last = modules.datetime.date.fromisoformat(var('to_date') | string) -%}
    {{ return(last + modules.datetime.timedelta(days=number_of('days_before'))) }}
{% endmacro %}

{#- The first and last day of each INSERT of this run: all days at once, or `days_at_once` of them. -#}
{% macro days_of_inserts() %}
    {%- set ranges = [] -%}
    {%- set first = first_rebuilt_day() -%}
    {%- set days = (last_rebuilt_day() - first).days + 1 -%}
    {%- set step = config.get('days_at_once', none) or days -%}
    {%- for offset in range(0, days, step) -%}
        {%- do ranges.append((
            first + modules.datetime.timedelta(days=offset),
            first + modules.datetime.timedelta(days=[offset + step, days] | min - 1),
        )) -%}
    {%- endfor -%}
    {{ return(ranges) }}
{% endmacro %}

{#- Fills days of the staging table, both included; `months` are those that it has got already. -#}
{% macro fill_days(table, staging, select, first, last, months) %}
    {%- set columns = model.columns.values() | map(attribute='name') | map('string') | list -%}
    {%- if is_of_months() -%}
        {% do keep_other_days(table, staging, first, last, months) %}
    {%- endif -%}
    {% call statement('main') %}
        insert into {{ staging }} ({{ columns | join(', ') }})
        select {{ columns | join(', ') }}
        from ({{ select_of_days(select, first, last) }})
        {{ days_between(first, last) }}
    {% endcall %}
{% endmacro %}

{#- The SELECT of the model, which is written for all days of the run, for some days. -#}
{% macro select_of_days(select, first, last) -%}
    {{ select
        | replace(days_around(), days_around_these(first, last))
        | replace(days(), days_between(first, last))
        | replace(until_last_day(), until_day(last)) }}
{%- endmacro %}

{#- Gives the staging table the rows that the months of these days have on other days. -#}
{% macro keep_other_days(table, staging, first, last, months) %}
    {%- set missing = [] -%}
    {%- for partition_id in run_query(months_of(table, first, last)).columns[0] if partition_id not in months -%}
        {%- do missing.append(partition_id) -%}
        {%- do months.append(partition_id) -%}
    {%- endfor -%}
    {%- if missing -%}
        {% call statement('attach_months') %}
            alter table {{ staging }}
            {%- for partition_id in missing %}
                attach partition id '{{ partition_id }}' from {{ table }}{{ ',' if not loop.last }}
            {%- endfor %}
        {% endcall %}
    {%- endif -%}
    {% call statement('remove_days') %}
        delete from {{ staging }} {{ days_between(first, last) }}
    {% endcall %}
{% endmacro %}

{#- The partitions of the table that hold the months of these days. -#}
{% macro months_of(table, first, last) %}
    select distinct partition_id
    from system.parts
    where
        active
        and database = '{{ table.schema }}'
        and table = '{{ table.identifier }}'
        and partition_id between toYYYYMMDD(toStartOfMonth(toDate('{{ first }}')))::String
        and toYYYYMMDD(toDate('{{ last }}'))::String
    order by partition_id
{% endmacro %}

{#- The days after this run's that have the next row of what is, or was, on this run's days. -#}
{% macro days_of_next_rows(table, staging) %}
    {%- set key = config.require('changes_later_days') | join(', ') -%}
    select distinct toString(next_day) as later
    from (
        select min(event_date) as next_day
        from {{ table }}
        where
            event_date > toDate('{{ var('to_date') }}')
            and ({{ key }}) in (
                select {{ key }} from {{ table }} {{ days() }}
                union all
                select {{ key }} from {{ staging }} {{ days() }}
            )
        group by {{ key }}
    )
    order by later
{% endmacro %}

{#- The partitions of this run's days, and of later days that it rebuilds, that the table or the
    staging table holds, and whether the staging table has rows of it. -#}
{% macro partitions_of_both(table, staging, later_days) %}
    {%- set first = "toDate('" ~ first_rebuilt_day() ~ "')" -%}
    {%- if is_of_months() -%}
        {%- set first = 'toStartOfMonth(' ~ first ~ ')' -%}
    {%- endif -%}
    select
        partition_id,
        toUInt8(max(has_rows)) as has_rows
    from (
        select distinct
            partition_id,
            0 as has_rows
        from system.parts
        where
            active
            and database = '{{ table.schema }}'
            and table = '{{ table.identifier }}'
        union all
        select distinct
            _partition_id as partition_id,
            1 as has_rows
        from {{ staging }}
    )
    where partition_id between toYYYYMMDD({{ first }})::String
        and toYYYYMMDD(toDate('{{ last_rebuilt_day() }}'))::String
        {%- for later in later_days %}
        or partition_id = toYYYYMMDD({{ 'toStartOfMonth' if is_of_months() }}(toDate('{{ later }}')))::String
        {%- endfor %}
    group by partition_id
    order by partition_id
{% endmacro %}

{% macro quoted(text) -%}
    '{{ text | replace('\\', '\\\\') | replace("'", "\\'") | trim }}'
{%- endmacro %}
