"""The serving table `recsys.top_n`: the best posts for every user, by the champion.

Belongs here: the table and its content: the lists of all users if the champion is new, or else of
users whose reactions have changed. Swapping it belongs to `warehouse.served`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.recommend.interactions import read_interactions_since
from social_assets.recommend.list_rules import ServedRules, current_lists
from social_assets.recommend.model_lists import DATABASE, is_of, replace_rows
from social_assets.recommend.videos import VIDEO_FACT
from social_assets.warehouse.served.serving_tables import ServingColumn, ServingTable

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
        ServingColumn(
            "model_rank",
            "UInt16",
            "Place by the model's score alone, from 1; another than rank where rules chose",
        ),
        ServingColumn(
            "rules", "LowCardinality(String)", "The rules that chose, as JSON; empty without rules"
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


def refresh_top_n(
    client: Client,
    model: LoadedModel,
    run: str,
    computed_at: datetime,
    rules: ServedRules | None = None,
) -> Refreshed:
    """Make the lists of all users from their current histories, by the rules. Users without a
    history are left out.

    If the table is by this version of the model and by these rules, unchanged lists are copied
    within ClickHouse.
    """
    import numpy as np
    import pyarrow as pa

    from recsys.scoring.current_users import PresentUsers

    start, end = (datetime.fromisoformat(day) for day in model.manifest["data_window"])
    videos = VIDEO_FACT in model.manifest["watermarks"]
    present = PresentUsers.of(model, read_interactions_since(client, start, end, videos))
    rules = (rules or ServedRules()).of_lists()
    lists = current_lists(client, present, rules, computed_at)
    served = _served(client, model, rules)
    same = lists.unchanged(served)
    changed, stay = np.flatnonzero(~same), present.users.filter(pa.array(same))
    gone = len(served) - np.count_nonzero(present.among(served))
    if len(changed) or gone:
        replace_rows(
            client,
            TOP_N,
            _ruled(lists.top_n(changed, ITEMS_A_USER), rules),
            model,
            run,
            computed_at,
            keep=lambda staging: _copy(client, stay, staging),
        )
    return Refreshed(ranked=len(changed), kept=len(stay), gone=int(gone))


def _ruled(batches: Iterator[pa.RecordBatch], rules: ServedRules) -> Iterator[pa.RecordBatch]:
    """Add the rules to every row."""
    import pyarrow as pa

    for batch in batches:
        yield batch.append_column("rules", pa.repeat(pa.scalar(rules.text()), batch.num_rows))


def _served(client: Client, model: LoadedModel, rules: ServedRules) -> pa.Table:
    """user_id and history of every list by this version; none if the table is by another one, or by
    other rules.

    If the rows of a user have different histories, the result is 0, which no list has.
    """
    import pyarrow as pa

    if not is_of(client, TOP_N, model) or not _is_by(client, rules):
        return pa.schema({"user_id": pa.string(), "history": pa.uint64()}).empty_table()
    served: pa.Table = client.query_arrow(
        "SELECT user_id, if(min(history) = max(history), any(history), 0) AS history\n"
        f"FROM {TABLE} GROUP BY user_id",
        use_strings=True,
    )
    return served


def _is_by(client: Client, rules: ServedRules) -> bool:
    found = client.query(f"SELECT DISTINCT rules FROM {TABLE}").result_rows
    return [tuple(row) for row in found] == [(rules.text(),)]


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
