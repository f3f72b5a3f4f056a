"""Measures the cost of the invariants.

    python -m bench.orchestration.invariants [--events N] [--days N]

Loads a sample of every stream into a temporary home. Then compares each invariant for one day, like
a drain or a load, and for all days, like the nightly job; and records the comparisons, which is the
other part of a drain's cost.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.figures import Figure
from bench.live_platform import temporary_home
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.monitoring.invariant_results import report_days
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples import generate
from social_assets.operate.runs.instance import open_instance
from social_assets.pipeline.stream_work import ingest_files
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import invariants

TIMES = 5
NIGHT_SECONDS = 60.0
TOUCHED_DAY_SECONDS = 0.5


def main() -> None:
    """Print one line for each invariant, and the cost for a drain and for a night."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=60)
    options = parser.parse_args()
    with temporary_home("conservation-") as home:
        figures = measure(home, options.events, options.days)
    for figure in figures:
        print(figure.line())


def measure(home: Home, events: int, days: int) -> list[Figure]:
    """The figures of a home without rows."""
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    last = datetime.now(UTC).date() - timedelta(days=1)
    samples = generate(home.samples, events=events, days=days, end=last, seed=3)
    for contract in contracts():
        for file in samples:
            if file.stream == contract.name:
                ingest_files(stores.of(contract), [file.path], file.date)
    figures, night = [], 0.0
    for invariant in invariants():
        name = f"{invariant.asset.to_user_string()} {invariant.name}"
        of_day = seconds(lambda: compare_days(invariant, stores, [last]))  # noqa: B023 - called at once
        of_all = seconds(lambda: compare_days(invariant, stores, None))  # noqa: B023 - called at once
        figures.append(Figure("one day", name, of_day * 1000, "ms"))
        figures.append(Figure("all days", name, of_all * 1000, "ms"))
        night += of_all
    with open_instance(home) as instance:
        for contract in contracts():
            stream = stores.of(contract)
            taken = seconds(lambda: list(report_days(instance, stream, {last})))  # noqa: B023
            figures.append(
                Figure("a drain", f"{contract.name}, one day", taken, "s", TOUCHED_DAY_SECONDS)
            )
    figures.append(Figure("a night", f"{days} days by all invariants", night, "s", NIGHT_SECONDS))
    return figures


def seconds(work: Callable[[], object]) -> float:
    """The median of some times."""
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


if __name__ == "__main__":
    main()
