"""Rows read and milliseconds of named questions to the rollups of engagement, over two years.

Belongs here: the questions, as SQL to the table that answers them, and their measurement. Each is
asked with another account every time, after the caches of marks and of blocks are emptied; the
file cache of the system is left alone.

    python -m bench.serving.rollup_scale [--accounts 100000] [--days 730] [--runs 20]
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure, write_json
from bench.serving.rollup_rows import RECENT_DAYS, Simulation, fill
from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import Home
from social_assets.warehouse.dbt.deployment import deploy_warehouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

END = date(2026, 7, 15)
"""Not the end of a month: both ends of a range lie within one."""

MILLISECONDS = 100.0
_SEED = 2026
_EVENTS = "sum(events) AS n"
_USERS = "uniqCombinedMerge(users) AS n"


@dataclass(frozen=True)
class Question:
    """A question to a table, for the last `days`; `{account}` stands for an account's key, `{post}`
    for a post of it.
    """

    name: str
    table: str
    select: str
    by: str
    where: str = "true"
    order: str = ""
    days: int = RECENT_DAYS
    most_rows: int | None = None

    def sql(self, account: int) -> str:
        """The query of one account."""
        key = f"MD5('{account}')"
        where = self.where.format(account=key, post=f"MD5(concat(hex({key}), '0'))")
        return (
            f"SELECT {self.by}, {self.select} FROM rollups.{self.table}\n"
            f"WHERE event_date >= toDate('{END}') - {self.days} AND event_date < '{END}'\n"
            f"  AND {where} GROUP BY {self.by} {self.order}"
        )


_REACH = "uniqCombinedMerge(reached_users) AS n"
_ENGAGEMENT_RATE = "sum(engagement_sum) / uniqCombinedMerge(reached_users) AS n"
_OF_ACCOUNT = "account_key = {account}"


def questions(years: int) -> Sequence[Question]:
    """The named questions; `years` is the number of days of the longest range."""
    by_day, by_kind = "event_date, metric_type", "metric_type"
    platform, account = "engagement_platform_daily", "engagement_account_daily"
    users = "engagement_users_daily"
    of_day = "platform_key, event_date, metric_type"
    return (
        Question("platforms by day, 30 days", platform, _EVENTS, of_day, most_rows=2_000),
        Question("platforms by day, 2 years", platform, _EVENTS, of_day, days=years),
        Question("users of platforms, 30 days", users, _USERS, "platform_key"),
        Question("reach of platforms, 30 days", users, _REACH, "platform_key"),
        Question("engagement rate of platforms, 30 days", users, _ENGAGEMENT_RATE, "platform_key"),
        Question(
            "platforms by hour, 2 days",
            "engagement_platform_hourly",
            _EVENTS,
            "event_hour, platform_key",
            days=2,
        ),
        Question("account by day, 30 days", account, _EVENTS, by_day, _OF_ACCOUNT),
        Question("account by day, 2 years", account, _EVENTS, by_day, _OF_ACCOUNT, days=years),
        Question("account by kind, 2 years", account, _EVENTS, by_kind, _OF_ACCOUNT, days=years),
        Question("users of an account, 30 days", account, _USERS, by_kind, _OF_ACCOUNT),
        Question("users of an account, 2 years", account, _USERS, by_kind, _OF_ACCOUNT, days=years),
        Question(
            "best hours of an account, 30 days",
            "engagement_account_hourly",
            _EVENTS,
            "toDayOfWeek(event_hour), toHour(event_hour)",
            _OF_ACCOUNT,
        ),
        Question(
            "posts of an account, 30 days",
            "engagement_daily",
            _EVENTS,
            "post_key",
            _OF_ACCOUNT,
            "ORDER BY n DESC LIMIT 20",
        ),
        Question(
            "post, its account named, 30 days",
            "engagement_daily",
            _EVENTS,
            by_day,
            f"{_OF_ACCOUNT} AND post_key = {{post}}",
        ),
        Question("post alone, 30 days", "engagement_daily", _EVENTS, by_day, "post_key = {post}"),
        Question(
            "top 20 accounts, 30 days",
            account,
            _EVENTS,
            "account_key",
            order="ORDER BY n DESC LIMIT 20",
        ),
    )


def measure(
    client: Client, question: Question, accounts: Sequence[int]
) -> tuple[Figure, Figure, Figure]:
    """Rows read, median and 95th percentile; the most rows of any account."""
    milliseconds, rows = [], []
    for account in accounts:
        client.command("SYSTEM DROP MARK CACHE")
        client.command("SYSTEM DROP UNCOMPRESSED CACHE")
        started = time.perf_counter()
        result = client.query(question.sql(account))
        milliseconds.append((time.perf_counter() - started) * 1000)
        rows.append(int(result.summary["read_rows"]))
    slow = statistics.quantiles(milliseconds, n=20, method="inclusive")[-1]
    name, table = question.name, question.table.removeprefix("engagement_")
    return (
        Figure(table, f"{name}: rows read", max(rows), "rows", question.most_rows),
        Figure(table, f"{name}: median", statistics.median(milliseconds), "ms"),
        Figure(table, f"{name}: p95", slow, "ms", MILLISECONDS),
    )


def drawn(accounts: int, runs: int) -> list[int]:
    """Accounts of all sizes: evenly drawn by the logarithm of their rank."""
    rng = random.Random(_SEED)  # noqa: S311 - which accounts, not secrets
    return [int(math.exp(rng.random() * math.log(accounts))) for _ in range(runs)]


def run(simulation: Simulation, runs: int) -> list[Figure]:
    """Generate, measure and remove everything."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        endpoint = ensure_running(home)
        try:
            deploy_warehouse(endpoint, home)
            with client_of(endpoint) as client:
                return _measured(client, simulation, runs)
        finally:
            stop(home)


def _measured(client: Client, simulation: Simulation, runs: int) -> list[Figure]:
    for (view,) in client.query(
        "SELECT concat(database, '.', name) FROM system.tables WHERE engine = 'MaterializedView'"
    ).result_rows:
        client.command(f"DROP VIEW {view} SYNC")
    started = time.monotonic()
    fill(client, simulation)
    figures = [Figure("generated", "seconds", time.monotonic() - started, "s")]
    for table, rows, size in client.query(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts\n"
        "WHERE active AND database = 'rollups' AND rows > 0 GROUP BY table ORDER BY table"
    ).result_rows:
        figures.append(Figure("generated", table, rows, "rows"))
        figures.append(Figure("generated", f"{table} on disk", size / 1e6, "MB"))
    _show(figures)
    for question in questions(simulation.days):
        found = measure(client, question, drawn(simulation.accounts, runs))
        _show(found)
        figures += found
    return figures


def _show(figures: Sequence[Figure]) -> None:
    for figure in figures:
        sys.stdout.write(f"{figure.line()}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the options and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = run(Simulation(options.accounts, options.days, END), options.runs)
    if options.json:
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
