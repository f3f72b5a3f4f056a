"""Converts integer columns of a table behind `cleaned` to text, with all its rows.

Belongs here: ids were integers in releases up to 0.2. A column of the sorting key can't change its
type, so the rows are copied to a table with the new types, which takes the place of the old one in
one step. Copied are also days that can't be rebuilt because the cleaned tables lack them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_assets.warehouse.dbt.survey import AlteredTable

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_SUFFIX = "__staging_as_text"
"""A copy that a killed process leaves is replaced by the next one, or dropped as other staging
tables are."""


def convert_to_text(client: Client, altered: AlteredTable) -> None:
    """Make the integers text that are declared so, by `numbers_for_text`.

    Rows that a view inserts meanwhile can be missing: the caller must record the days as pending.
    """
    database, _, name = altered.table.name.partition(".")
    [(statement,)] = client.query(
        "SELECT create_table_query FROM system.tables\n"
        "WHERE database = {database:String} AND name = {name:String}",
        parameters={"database": database, "name": name},
    ).result_rows
    [(columns,)] = client.query(
        "SELECT groupArray((name, type)) FROM system.columns\n"
        "WHERE database = {database:String} AND table = {name:String}",
        parameters={"database": database, "name": name},
    ).result_rows
    for column, kind in columns:
        if column in altered.numbers_for_text:
            statement = statement.replace(f"`{column}` {kind}", f"`{column}` String", 1)
    copy = f"{database}.{name}{_SUFFIX}"
    client.command(f"DROP TABLE IF EXISTS {copy} SYNC")
    client.command(
        statement.replace(f"CREATE TABLE {altered.table.name} ", f"CREATE TABLE {copy} ")
    )
    client.command(
        f"INSERT INTO {copy} SELECT * FROM {altered.table.name}",
        settings={"max_partitions_per_insert_block": 0},
    )
    client.command(f"EXCHANGE TABLES {altered.table.name} AND {copy}")
    client.command(f"DROP TABLE {copy} SYNC")
