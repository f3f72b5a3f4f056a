"""The feature store: what is declared of users, accounts and posts, as of which time it is known.

Belongs here: definitions, point-in-time sets from the warehouse, and the online store. Dagster's
assets belong to `defs.features`, the API to `serving`, the tables that features read to dbt.
"""
