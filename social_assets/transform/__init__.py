"""Transforms raw bytes to cleaned rows: Ibis expressions, and DuckDB to run them.

`decode` opens a record, `standardize` makes typed columns, `validate` finds broken rules,
`deduplicate` finds the first record of a key, `duckdb_engine` runs the expressions. Nothing here
knows where tables are stored.
"""
