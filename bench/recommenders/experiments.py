"""Measures experiments: how often they are wrong by chance, and how long an analysis takes.

    python -m bench.recommenders.experiments [--users N] [--events N]

The rates are those of 2,000 simulated experiments each, by the functions of the unit tests. The
analysis runs on an embedded ClickHouse of its own with made-up exposures and events.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bench.figures import Figure
from resources.clickhouse.resource import connect
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.recommend.experiments.analysis import analyze
from social_assets.recommend.experiments.definition import Experiment, Guardrail, Variant
from social_assets.recommend.experiments.statistics.sequential import multiplier
from tests.unit.recommend.experiments.statistics import test_error_rates as simulated

_START = date(2026, 1, 20)
_DAYS = 40
_EXPERIMENT = Experiment(
    name="bench",
    title="Bench",
    hypothesis="None",
    variants=(Variant("control"), Variant("other")),
    goals=("likes", "engagement_rate"),
    guardrails=(Guardrail("unique_users"),),
    start=_START,
    planned_units=1_000_000,
)
_FACT = """
CREATE TABLE star.fact_engagement (
  event_date Date, event_time DateTime64(6, 'UTC'), account_key FixedString(16),
  user_key FixedString(16), metric_type LowCardinality(String), value Float64
) ENGINE = MergeTree PARTITION BY event_date ORDER BY (account_key, event_time)
"""
_EXPOSURES = """
CREATE TABLE cleaned.experiment_exposures (
  event_date Date, event_time DateTime64(6, 'UTC'), experiment LowCardinality(String),
  variant LowCardinality(String), user_id Nullable(String)
) ENGINE = MergeTree PARTITION BY event_date ORDER BY event_time
"""


def main() -> None:
    """Measure, and print a line a figure. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    options = parser.parse_args()
    figures = [*_rates(), *_speed(options.users, options.events)]
    for figure in figures:
        print(figure.line())
    if not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _rates() -> Iterator[Figure]:
    for name, with_earlier in (("plain", False), ("CUPED", True)):
        found = simulated.means_of_aa_runs(with_earlier)
        wrong = [each.p_value < simulated.ALPHA for each in found]
        yield _share("one look", f"A/A significant, {name}", float(np.mean(wrong)))
    ratio = float(np.mean(simulated.significant_ratios()))
    yield _share("one look", "A/A significant, ratio, CUPED", ratio)
    looks = simulated.peeked(0.0, 1_500, 30)
    reaches = [multiplier(units, looks.units[-1], simulated.ALPHA) for units in looks.units]
    yield _share("30 looks", "A/A decided, always-valid", simulated.decided(looks, reaches))
    for_one = simulated.decided(looks, [1.96] * len(looks.units))
    yield Figure("30 looks", "A/A decided, one-look intervals", 100 * for_one, "%")


def _share(part: str, name: str, share: float) -> Figure:
    return Figure(part, name, 100 * share, "%", 6.0)


def _speed(users: int, events: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        os.environ[ENVIRONMENT_VARIABLE] = folder
        client = connect(ensure_running(home))
        try:
            for database in ("star", "cleaned"):
                client.command(f"CREATE DATABASE {database}")
            client.command(_FACT)
            client.command(_EXPOSURES)
            client.command(
                "INSERT INTO cleaned.experiment_exposures\n"
                f"SELECT toDate('{_START}') + number % 7 AS day,\n"
                "  toDateTime64(day, 6, 'UTC') + number % 86400, 'bench',\n"
                "  if(sipHash64(number) % 2 = 0, 'control', 'other'), toString(number)\n"
                f"FROM numbers({users})"
            )
            first = _START - timedelta(days=14)
            client.command(
                "INSERT INTO star.fact_engagement\n"
                f"SELECT toDate('{first}') + sipHash64(number, 'd') % {_DAYS} AS day,\n"
                "  toDateTime64(day, 6, 'UTC') + number % 86400, MD5(toString(number % 1000)),\n"
                f"  MD5(toString(sipHash64(number, 'u') % {users})),\n"
                "  ['like', 'view', 'click'][1 + number % 3], 1\n"
                f"FROM numbers({events}) SETTINGS max_partitions_per_insert_block = 1000"
            )
            begun = time.monotonic()
            found = analyze(client, _EXPERIMENT)
            seconds = time.monotonic() - begun
        finally:
            client.close()
            stop(home)
    counted = sum(found.counted.values())
    yield Figure("analysis", f"3 metrics, {events:,} events, {counted:,} units", seconds, "s")


if __name__ == "__main__":
    main()
