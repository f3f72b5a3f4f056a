"""The ClickHouse side of the contracts: the DDL of `cleaned.*` and the loader into it.

What is built from those tables (star, rollups) is dbt's and stands in `dbt/`.
"""
