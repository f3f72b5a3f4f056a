"""Batches that the loaders have inserted and not recorded, because a crash came between.

The next load repeats the same insert, and every table recognizes it by the view through which it
comes. So until then no view may be renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_assets.contracts.contract import Contract
from social_assets.warehouse.ddl import DATABASE, LOADED, LOADED_UNTIL
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def half_loaded_batches(client: Client, contract: Contract) -> list[str]:
    """Batches with rows in `cleaned.<stream>` that are not recorded as loaded.

    Batches of files are named by their id, those of Kafka and of pages by the time up to which the
    stream is loaded.
    """
    conditions = []
    if exists(client, LOADED):
        conditions.append(
            "source = 'file' AND batch_id NOT IN (\n"
            f"  SELECT batch_id FROM {LOADED} WHERE stream = {{stream:String}})"
        )
    if exists(client, LOADED_UNTIL):
        conditions.append(
            "source IN ('kafka', 'pages') AND ingested_at > (\n"
            f"  SELECT max(ingested_at) FROM {LOADED_UNTIL} WHERE stream = {{stream:String}})"
        )
    if not conditions:
        return []
    found = client.query(
        f"SELECT DISTINCT batch_id FROM {DATABASE}.{contract.name}\n"
        f"WHERE {' OR '.join(f'({condition})' for condition in conditions)}",
        parameters={"stream": contract.name},
    ).result_rows
    return [str(row[0]) for row in found]
