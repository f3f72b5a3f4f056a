"""Rows read and milliseconds of the tiles of collected accounts, over collections by the hour.

Belongs here: snapshots of profiles and counters, as 24 collections a day leave them, the questions
of the dashboard "Collected accounts", and the server's CPU of a landing. Snapshots arrive a day at
a time, so that the views compute increments as they do in use.

    python -m bench.serving.collected_tiles [--accounts 2000] [--days 90] [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import Home
from social_assets.metrics.ask import ask
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import Question
from social_assets.warehouse.dbt.deployment import deploy_warehouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

BEGIN = datetime(2026, 4, 1, tzinfo=UTC)
_COLLECTIONS = 24
_IDS = "toString(number % {accounts}) AS id, toDateTime64('{day}', 6, 'UTC') + at * 3600 AS time"
_ROWS = "(SELECT number, intDiv(number, {accounts}) AS at FROM numbers({accounts} * {collections}))"
_ENVELOPE = "event_time, event_date, ingested_at, batch_id, source, origin"
_OF_ENVELOPE = "time, toDate(time), now64(6), 'batch', 'file', 'bench'"
_PROFILES = f"""
INSERT INTO cleaned.profiles (platform, account_id, collected_at, followers, {_ENVELOPE})
SELECT 'Instagram', id, time, 1000 + {{number}} * 24 + at, {_OF_ENVELOPE}
FROM (SELECT at, {_IDS} FROM {_ROWS})
"""
_COUNTERS = f"""
INSERT INTO cleaned.post_counters
    (platform, account_id, post_id, endpoint, collected_at, likes, comments, shares, views,
     {_ENVELOPE})
SELECT 'Instagram', id, concat('post ', id), 'media', time,
    ({{number}} * 24 + at) * 5, ({{number}} * 24 + at) * 2, {{number}} * 24 + at - at % 3,
    ({{number}} * 24 + at) * 100, {_OF_ENVELOPE}
FROM (SELECT at, {_IDS} FROM {_ROWS})
"""
_POSTS = f"""
INSERT INTO cleaned.posts_collected
    (post_version, platform, account_id, post_id, published_at, collected_at, {_ENVELOPE})
SELECT concat('version ', id), 'Instagram', id, concat('post ', id), time - 3600, time,
    {_OF_ENVELOPE}
FROM (SELECT at, {_IDS} FROM {_ROWS})
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="collected-") as folder:
        home = Home(Path(folder))
        endpoint = ensure_running(home)
        try:
            deploy_warehouse(endpoint, home)
            with client_of(endpoint, "bench") as client:
                fill(client, asked.accounts, asked.days)
                for figure in _measured(client, asked.accounts, asked.days, asked.runs):
                    print(figure.line(), flush=True)
        finally:
            stop(home)


def fill(client: Client, accounts: int, days: int) -> None:
    """Insert the snapshots of all days, and one post of each account."""
    for number in range(days):
        _land(client, accounts, number, _COLLECTIONS)


def _land(client: Client, accounts: int, number: int, collections: int) -> None:
    day = (BEGIN + timedelta(days=number)).strftime("%Y-%m-%d %H:%M:%S")
    for text in (_PROFILES, _COUNTERS, *([] if number else [_POSTS])):
        count = 1 if text == _POSTS else collections
        client.command(
            text.format(accounts=accounts, day=day, number=number, collections=count),
            settings={"max_insert_block_size": 1_000_000, "max_threads": 2},
        )


def questions(days: int) -> Iterator[tuple[str, Question]]:
    """The tiles of the dashboard, over all days."""
    end = BEGIN + timedelta(days=days)
    table = (
        *("followers", "followers_gained", "follower_growth", "posts_published"),
        *("new_engagement", "engagement_rate_by_followers", "corrections"),
    )
    account, platform = ("platform", "account"), ("platform",)
    yield "new engagement", Question(("new_engagement",), BEGIN, end)
    yield "new likes by day", Question(("new_likes",), BEGIN, end, Grain.DAY, platform)
    yield "followers by day", Question(("followers",), BEGIN, end, Grain.DAY, platform)
    yield "accounts", Question(table, BEGIN, end, by=account, limit=100)


def _measured(client: Client, accounts: int, days: int, runs: int) -> Iterator[Figure]:
    for name, question in questions(days):
        seconds, rows = [], 0
        for _ in range(runs):
            started = time.perf_counter()
            rows = ask(client, question).rows_read
            seconds.append(time.perf_counter() - started)
        yield Figure("tiles", f"{name}, median", statistics.median(seconds) * 1000, "ms")
        yield Figure("tiles", f"{name}, rows read", rows, "rows")
    before = _cpu_seconds(client)
    _land(client, accounts, days, 1)
    yield Figure(
        "landing", "one collection of all accounts", _cpu_seconds(client) - before, "CPU s"
    )


def _cpu_seconds(client: Client) -> float:
    """The processor time of the server so far."""
    found = client.query(
        "SELECT sum(value) FROM system.events WHERE event IN\n"
        "    ('UserTimeMicroseconds', 'SystemTimeMicroseconds')"
    )
    return float(found.first_row[0]) / 1e6


if __name__ == "__main__":
    main()
