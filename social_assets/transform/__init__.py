"""From raw bytes to cleaned rows, as Ibis expressions, and DuckDB to run them.

`decode` opens the record, `clean` makes typed canonical columns, `validate` says what is wrong with
a row, `deduplicate` which of the accepted came first; `duckdb_engine` runs them. Nothing here knows
where tables are kept.
"""
