"""The serving table `recsys.top_n`: the best posts for every user, by the champion.

Belongs here: the table and its content: the lists of all users if the champion is new, or else of
users whose reactions have changed. Swapping it belongs to `serving_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.recommend.interactions import read_interactions_since
from social_assets.recommend.serving_tables import (
    DATABASE,
    ServingColumn,
    ServingTable,
    is_of,
    replace_rows,
)
from social_assets.recommend.videos import VIDEO_FACT

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

TABLE = f"{DATABASE}.top_n"
ITEMS_A_USER = 20

TOP_N = ServingTable(
    name=TABLE,
    columns=(
        ServingColumn("user_id", "String", "For whom"),
        ServingColumn("rank", "UInt16", "Place in the user's list, from 1"),
        ServingColumn("item_id", "String", "The post"),
        ServingColumn(
            "score", "Float32", "The model's score; compare within one user and version only"
        ),
        ServingColumn("model", "LowCardinality(String)", "Which model"),
        ServingColumn("model_version", "LowCardinality(String)", "Which version of it"),
        ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When"),
        ServingColumn(
            "history", "UInt64", "Fingerprint of the reactions that the user's list is made of"
        ),
    ),
    order="user_id, rank",
    constraints=("one row a user_id and rank", f"at most {ITEMS_A_USER} rows a user_id"),
    meaning=f"Recommended posts: one row a user and rank, at most {ITEMS_A_USER} a user",
)


@dataclass(frozen=True)
class Refreshed:
    """How many users' lists were made again, kept, and removed."""

    ranked: int
    kept: int
    gone: int


def refresh_top_n(client: Client, model: LoadedModel, run: str, computed_at: datetime) -> Refreshed:
    """Make the lists of all users from their current histories. Users without a history are left
    out.

    If the table is by this version of the model, unchanged lists are copied within ClickHouse.
    """
    import numpy as np
    import pyarrow as pa

    from recsys.scoring.current_users import PresentUsers

    start, end = (datetime.fromisoformat(day) for day in model.manifest["data_window"])
    videos = VIDEO_FACT in model.manifest["watermarks"]
    present = PresentUsers.of(model, read_interactions_since(client, start, end, videos))
    served = _served(client, model)
    same = present.unchanged(served)
    changed, stay = np.flatnonzero(~same), present.users.filter(pa.array(same))
    gone = len(served) - np.count_nonzero(present.among(served))
    if len(changed) or gone:
        replace_rows(
            client,
            TOP_N,
            present.top_n(changed, ITEMS_A_USER),
            model,
            run,
            computed_at,
            keep=lambda staging: _copy(client, stay, staging),
        )
    return Refreshed(ranked=len(changed), kept=len(stay), gone=int(gone))


def _served(client: Client, model: LoadedModel) -> pa.Table:
    """user_id and history of every list by this version; none if the table is by another one.

    If the rows of a user have different histories, the result is 0, which no list has.
    """
    import pyarrow as pa

    if not is_of(client, TOP_N, model):
        return pa.schema({"user_id": pa.string(), "history": pa.uint64()}).empty_table()
    served: pa.Table = client.query_arrow(
        "SELECT user_id, if(min(history) = max(history), any(history), 0) AS history\n"
        f"FROM {TABLE} GROUP BY user_id",
        use_strings=True,
    )
    return served


def _copy(client: Client, users: pa.Array, staging: str) -> None:
    """Copy the lists of these users into the staging table, within ClickHouse."""
    import pyarrow as pa

    if len(users) == 0:
        return
    named = f"{staging}_kept"
    client.command(f"CREATE OR REPLACE TABLE {named} (user_id String) ENGINE = Memory")
    try:
        client.insert_arrow(named, pa.table({"user_id": users}))
        client.command(
            f"INSERT INTO {staging} SELECT * FROM {TABLE}\n"
            f"WHERE user_id IN (SELECT user_id FROM {named})"
        )
    finally:
        client.command(f"DROP TABLE IF EXISTS {named} SYNC")
