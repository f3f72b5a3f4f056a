"""The serving table `recsys.explored_items`: with which chance new posts are tried, and where.

Belongs here: the table, its content, and reading it. Drawing from it belongs to the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from social_assets.recommend.exploration.policy import (
    Learned,
    Policy,
    even_policy,
    learn_policy,
)
from social_assets.recommend.exploration.tried_posts import (
    read_groups,
    read_new_posts,
    read_tried,
)
from social_assets.recommend.model_lists import DATABASE
from social_assets.warehouse.served.serving_tables import (
    ServingColumn,
    ServingTable,
    replace_all_rows,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

TABLE = f"{DATABASE}.explored_items"

EXPLORED_ITEMS = ServingTable(
    name=TABLE,
    columns=(
        ServingColumn("user_group", "String", "Age group of users; empty for all others"),
        ServingColumn("item_id", "String", "The new post"),
        ServingColumn("chance", "Float64", "With which it is drawn for a place"),
        ServingColumn("expected", "Float64", "The click rate that is expected of it"),
        ServingColumn("policy", "LowCardinality(String)", "How chances were found"),
        ServingColumn("policy_version", "LowCardinality(String)", "The run that found them"),
        ServingColumn("places", "Array(UInt16)", "Places of a list at which posts are drawn"),
        ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When"),
    ),
    order="user_group, item_id",
    constraints=("one row a user_group and item_id", "the chances of a user_group sum to 1"),
    meaning="New posts that are tried at some places of lists: one row a group of users and post",
)


def refit(client: Client, run: str, places: Sequence[int], now: datetime) -> Learned:
    """Learn from what was shown, and replace the table by the policy that is to serve."""
    groups, posts = read_groups(client), read_new_posts(client, now)
    found = learn_policy(
        read_tried(client, now), groups, posts, read_policy(client), now.toordinal()
    )
    replace_all_rows(client, EXPLORED_ITEMS, _rows(found.policy, run, places, now), run)
    return found


def stop_exploring(client: Client, run: str) -> None:
    """Empty the table, if there is one: no place is declared."""
    if client.command(f"EXISTS TABLE {TABLE}"):
        none = _rows(even_policy([], []), run, (), datetime.now(UTC))
        replace_all_rows(client, EXPLORED_ITEMS, none, run)


def read_policy(client: Client) -> Policy | None:
    """The policy that serves, if there is one."""
    import numpy as np

    if not client.command(f"EXISTS TABLE {TABLE}"):
        return None
    rows: pa.Table = client.query_arrow(
        f"SELECT user_group, item_id, chance, expected, policy FROM {TABLE}\n"
        "ORDER BY user_group, item_id",
        use_strings=True,
    )
    if not rows.num_rows:
        return None
    groups = rows["user_group"].unique().to_pylist()
    shape = (len(groups), rows.num_rows // len(groups))
    if rows.num_rows != shape[0] * shape[1]:
        return None
    return Policy(
        rows["policy"][0].as_py(),
        groups,
        rows["item_id"].slice(0, shape[1]).to_pylist(),
        rows["chance"].to_numpy().astype(np.float64).reshape(shape),
        rows["expected"].to_numpy().astype(np.float64).reshape(shape),
    )


def _rows(policy: Policy, run: str, places: Sequence[int], now: datetime) -> pa.Table:
    import pyarrow as pa

    rows = policy.chances.size
    return pa.table(
        {
            "user_group": pa.array(policy.groups, pa.string()).take(
                pa.array([at for at in range(len(policy.groups)) for _ in policy.posts], pa.int64())
            ),
            "item_id": pa.array([*policy.posts] * len(policy.groups), pa.string()),
            "chance": policy.chances.ravel(),
            "expected": policy.expected.ravel(),
            "policy": pa.repeat(policy.name, rows),
            "policy_version": pa.repeat(run, rows),
            "places": pa.array([list(places)] * rows, pa.list_(pa.uint16())),
            "computed_at": pa.array([now] * rows, pa.timestamp("us", "UTC")),
        }
    )
