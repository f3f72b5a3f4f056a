"""Measures the feature store: reading a user online, passes, and a point-in-time join.

    python -m bench.understand.features [--users N] [--rows N]

Each user has ten events on the last 28 days. Reads are of users by chance, each with all views of a
user, in one process, as the API does it in a thread.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from bench.figures import Figure
from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.features.feature_view import USER
from social_assets.features.offline.point_in_time import training_set
from social_assets.features.online.answer import features_now
from social_assets.features.online.chosen_store import online_store
from social_assets.features.online.materialize import materialize
from social_assets.features.online.rows import OnlineStore
from social_assets.warehouse.dbt.deployment import deploy_warehouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

P99_MS, FRESH_SECONDS = 10.0, 60.0
_CHANCE = random.Random(18)  # noqa: S311 - not for secrets
_READS = 10_000
_ACTIVE = 1_000
_RUN = "bench.understand.features"
_USER = "concat('u', toString({user}))"
_EVENTS = """
INSERT INTO star.fact_engagement
SELECT toDate(at, 'UTC'), at, toString(number), MD5(toString(number % 1000)),
    MD5(toString(cityHash64(number) % 50000)), MD5({user}), MD5('X'), MD5('t'), MD5('d'), 'like', 1.
FROM (SELECT number, {at} AS at FROM numbers({events}))
"""
_PLATFORM = "INSERT INTO star.dim_platform_daily (event_date, platform_key, platform) "
_NAMES = ("events_28d", "reactions_7d", "days_since_active", "events_of_day")


def main() -> None:
    """Measure, and print a line a figure. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=100_000, help="of the training set")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="features") as folder:
        home = Home(Path(folder))
        os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
        endpoint = ensure_running(home)
        store = online_store(home)
        try:
            deploy_warehouse(endpoint, home)
            with client_of(endpoint, _RUN) as client:
                _fill(client, options.users)
                figures = list(_measured(client, store, home, options.users, options.rows))
        finally:
            store.close()
            stop(home)
    print("\n".join(figure.line() for figure in figures))
    if not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _fill(client: Client, users: int) -> None:
    """Ten events of each user, and the members of the dimensions."""
    user = _USER.format(user=f"number % {users}")
    at = "now64(6, 'UTC') - toIntervalSecond(60 + cityHash64(number) % (28 * 86400))"
    client.command(_EVENTS.format(user=user, at=at, events=users * 10))
    today = datetime.now(UTC).date()
    client.command(f"{_PLATFORM} SELECT '{today}', MD5('X'), 'X'")
    name = _USER.format(user="number")
    client.command(
        "INSERT INTO star.dim_user_daily (event_date, user_key, user_id)\n"
        f"SELECT '{today}', MD5({name}), {name} FROM numbers({users})"
    )


def _measured(
    client: Client, store: OnlineStore, home: Home, users: int, rows: int
) -> Iterator[Figure]:
    seconds, written = _pass(client, store, home)
    yield Figure("online", "rows a second of the first pass", written / seconds, "rows/s")
    yield from _reads(store, users)
    user = _USER.format(user=f"number % {_ACTIVE}")
    client.command(_EVENTS.format(user=user, at="now64(6, 'UTC')", events=_ACTIVE))
    seconds, written = _pass(client, store, home)
    assert written >= _ACTIVE, f"{written} rows were written for {_ACTIVE} active users"
    yield Figure("online", f"pass after {_ACTIVE:,} users were active", seconds, "s", FRESH_SECONDS)
    started = time.perf_counter()
    found = training_set(client, USER, _entity_rows(users, rows), _NAMES)
    assert found.num_rows == rows
    yield Figure("offline", f"join of {rows:,} rows", time.perf_counter() - started, "s")


def _pass(client: Client, store: OnlineStore, home: Home) -> tuple[float, int]:
    started = time.perf_counter()
    written = sum(each.written for each in materialize(client, store, home.path / "locks"))
    return time.perf_counter() - started, written


def _reads(store: OnlineStore, users: int) -> Iterator[Figure]:
    taken = []
    for _ in range(_READS):
        user = f"u{_CHANCE.randrange(users)}"
        started = time.perf_counter()
        found = features_now(store, USER, user, datetime.now(UTC))
        taken.append((time.perf_counter() - started) * 1_000)
        assert found.platforms, f"{user} has no features"
    cuts = statistics.quantiles(taken, n=100)
    yield Figure("online", "one user from SQLite, p50", cuts[49], "ms")
    yield Figure("online", "one user from SQLite, p99", cuts[98], "ms", P99_MS)


def _entity_rows(users: int, rows: int) -> pa.Table:
    """Users by chance, each at a time of the last 28 days."""
    now = datetime.now(UTC)
    times = [now - timedelta(seconds=_CHANCE.randrange(28 * 86_400)) for _ in range(rows)]
    return pa.table(
        {
            "platform": pa.repeat("X", rows),
            "id": [f"u{_CHANCE.randrange(users)}" for _ in range(rows)],
            "at": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )


if __name__ == "__main__":
    main()
