"""Data of the recommender tests: rows of interactions, and a small world with hidden tastes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recsys import InteractionMatrix

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def rows() -> Callable[..., Any]:
    """Build a table from (user, item[, weight[, day]]) tuples."""

    def build(*tuples: tuple[Any, ...]) -> Any:
        full = [(*row, *(1.0, 0)[len(row) - 2 :]) for row in tuples]
        return pa.table(
            {
                "user_id": pa.array([row[0] for row in full], pa.string()),
                "item_id": pa.array([row[1] for row in full], pa.string()),
                "weight": pa.array([row[2] for row in full], pa.float64()),
                "event_time": pa.array(
                    [START + timedelta(days=row[3]) for row in full], pa.timestamp("us", "UTC")
                ),
            }
        )

    return build


@pytest.fixture(scope="session")
def tasteful_table() -> Any:
    """60,000 rows of 14 days: each of 1,200 users mostly chooses items of one taste."""
    random = np.random.default_rng(1)
    users, items, tastes, size = 1200, 400, 8, 60_000
    user = random.integers(users, size=size)
    item = random.integers(items // tastes, size=size) * tastes + user % tastes
    stray = random.random(size) < 0.3
    item[stray] = random.integers(items, size=stray.sum())
    minutes = np.sort(random.integers(14 * 24 * 60, size=size)).astype("timedelta64[m]")
    return pa.table(
        {
            "user_id": pa.array(user).cast(pa.string()),
            "item_id": pa.array(item).cast(pa.string()),
            "weight": random.choice([0.5, 1.0, 3.0], size=size),
            "event_time": np.datetime64("2026-01-01", "us") + minutes,
        }
    )


@pytest.fixture(scope="session")
def tasteful(tasteful_table: Any) -> InteractionMatrix:
    return InteractionMatrix.from_table(tasteful_table)
