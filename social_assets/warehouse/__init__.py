"""ClickHouse: the DDL of `cleaned.*` from the contracts, the loader into it, and dbt.

The models that dbt builds from those tables (star, rollups) are in the folder `dbt/`.
"""
