"""Log lines in ClickHouse that have the id of a person who is forgotten.

Belongs here: deleting them. Files of lines are overwritten by `home_files`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.warehouse_rows import text_columns
from social_assets.warehouse.logs.table import LOGS, create_statements

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_STAGING = f"{LOGS}_without_persons"


def delete_log_lines(client: Client, persons: PersonIds) -> int:
    """Delete the lines with a distinct id; returns how many. Repeating it changes nothing.

    The table is replaced, since ClickHouse would keep the text of a mutation, with the ids, in a
    file. The caller keeps the shipper away (`only_shipper`).
    """
    client.command(f"DROP TABLE IF EXISTS {_STAGING} SYNC")
    if not persons.distinct.patterns or not client.command(f"EXISTS TABLE {LOGS}"):
        return 0
    parameters = {f"pattern{n}": text for n, text in enumerate(persons.distinct.patterns)}
    columns = next(
        names for table, names in text_columns(client).items() if table.replace("`", "") == LOGS
    )
    named = " OR ".join(
        f"match(toString({column}), {{{name}:String}})" for column in columns for name in parameters
    )
    query = f"SELECT count() FROM {LOGS} WHERE {named}"
    lines = int(client.query(query, parameters=parameters).result_rows[0][0])
    if lines:
        for statement in create_statements(_STAGING):
            client.command(statement)
        kept = f"INSERT INTO {_STAGING} SELECT * FROM {LOGS} WHERE NOT ({named})"
        client.command(kept, parameters=parameters, settings={"max_partitions_per_insert_block": 0})
        client.command(f"EXCHANGE TABLES {_STAGING} AND {LOGS}")
        client.command(f"DROP TABLE {_STAGING} SYNC")
    return lines
