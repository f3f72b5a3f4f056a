"""Measures a tick of the automation conditions: the full graph, a year of partitions.

    python -m bench.orchestration.automation [--days 365] [--profile]

Records every day of every partitioned asset as materialized in a temporary home's SQLite, as loads
do. Then evaluates the conditions of all assets as Dagster's daemon does: without a cursor, without
a change, after one late day of one stream, and after 30 late days. Exits with 1 if a tick takes
longer than the target, requests a day that did not change, or requests a day twice.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

# Private names of Dagster: the type of the cursor, and the metadata of batched events.
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.events import (
    DagsterEvent,
    DagsterEventBatchMetadata,
    StepMaterializationData,
)
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

from bench.figures import Figure
from resources.settings.home import Home
from resources.settings.variables import FIRST_DATE
from social_assets.contracts.registry import contracts
from social_assets.operate.runs.instance import open_instance

TARGET_SECONDS = 1.0
STREAM = "engagement_events"
LATE_DAYS = 30
INTERVAL = timedelta(seconds=30)
"""Between two ticks of the sensor."""
LAST = date(2026, 6, 30)


class Ticks:
    """Evaluations in a row, each with the cursor of the one before."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.figures: list[Figure] = []
        self._defs = defs
        self._instance = instance
        self._cursor: AssetDaemonCursor | None = None
        # Conditions with a schedule then depend on the ticks alone: no quarter of an hour begins
        # within the first ones.
        self._at = datetime.now(UTC).replace(minute=1, second=0, microsecond=0)

    def tick(
        self, name: str, target: float | None = TARGET_SECONDS, after: timedelta = INTERVAL
    ) -> dict[dg.AssetKey, set[str]]:
        """Evaluate the conditions once, as long after the last time; returns what is requested."""
        self._at += after
        started, cpu = time.perf_counter(), time.process_time()
        result = dg.evaluate_automation_conditions(
            self._defs,
            self._instance,
            dg.AssetSelection.all(),
            evaluation_time=self._at,
            cursor=self._cursor,
        )
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        self.figures.append(Figure("automation", name, seconds, "s", target))
        self.figures.append(Figure("automation", f"{name}, CPU", cpu, "s"))
        self._cursor = result.cursor
        keys = self._defs.resolve_asset_graph().get_all_asset_keys()
        asked = {key: result.get_requested_partitions(key) for key in keys}
        return {key: {str(day) for day in days} for key, days in asked.items() if days}


def main() -> int:
    """Print the figures; returns 1 if a target is missed or requests differ from the changes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    year = [LAST - timedelta(days=n) for n in range(options.days)]
    # Set before the definitions load: an empty lake does not determine the first day.
    os.environ[FIRST_DATE] = year[-1].isoformat()
    with tempfile.TemporaryDirectory(prefix="automation-") as folder:
        home = Home(Path(folder))
        with open_instance(home) as instance, _profiled(options.profile):
            ticks, wrong = _measure(instance, year)
    for figure in ticks.figures:
        print(figure.line())
    for each in wrong:
        print(f"WRONG: {each}")
    is_met = all(figure.is_met for figure in ticks.figures) and not wrong
    print("PASS" if is_met else "MISSED")
    return 0 if is_met else 1


def _measure(instance: dg.DagsterInstance, year: Sequence[date]) -> tuple[Ticks, list[str]]:
    from social_assets.locations.batch import defs

    graph = defs().resolve_asset_graph()
    partitioned = [key for key in graph.get_all_asset_keys() if graph.get(key).is_partitioned]
    started = time.perf_counter()
    for key in sorted(partitioned):
        report(instance, key, year)
    print(
        f"{len(partitioned)} assets, {len(year)} days each, recorded in "
        f"{time.perf_counter() - started:.0f} s"
    )
    ticks = Ticks(defs(), instance)
    raw = dg.AssetKey(["raw", STREAM])
    expected = behind(graph, raw)
    ticks.tick("first, without a cursor")
    wrong = _differences("nothing new", ticks.tick("nothing new"), {})
    for days in (year[100:101], year[200 : 200 + LATE_DAYS]):
        report(instance, raw, days)
        name = f"{len(days)} late days of one stream"
        due = {key: {day.isoformat() for day in days} for key in expected}
        wrong += _differences(name, ticks.tick(name), {})
        wrong += _differences(f"{name}, quiet", ticks.tick(f"{name}, quiet"), due)
        wrong += _differences(f"after {name}", ticks.tick(f"after {name}"), {})
    for each in contracts():
        report(instance, dg.AssetKey(["raw", each.name]), year)
    ticks.tick(f"{len(year)} late days of every stream", target=None)
    return ticks, wrong


def behind(graph: BaseAssetGraph[Any], key: dg.AssetKey) -> set[dg.AssetKey]:
    """The daily assets that contain rows of an asset."""
    children = {
        child
        for child in graph.get(key).child_keys
        if isinstance(child, dg.AssetKey)
        and graph.get(child).is_partitioned
        and any(
            graph.get(made_with).automation_condition
            for made_with in graph.get(child).execution_set_entity_keys
        )
    }
    return children.union(*(behind(graph, child) for child in children))


def report(instance: dg.DagsterInstance, key: dg.AssetKey, days: Sequence[date]) -> None:
    """Record days of an asset as materialized, in batches like the events of a range."""
    ordered = sorted(days)
    for number, day in enumerate(ordered, 1):
        materialization = dg.AssetMaterialization(key, partition=day.isoformat())
        instance.report_dagster_event(
            DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
                event_specific_data=StepMaterializationData(materialization),
                job_name=RUNLESS_JOB_NAME,
            ),
            run_id=RUNLESS_RUN_ID,
            batch_metadata=DagsterEventBatchMetadata(
                id=key.to_user_string(), is_end=number == len(ordered)
            ),
        )


def _differences(
    when: str, asked: dict[dg.AssetKey, set[str]], due: dict[dg.AssetKey, set[str]]
) -> list[str]:
    return [
        f"{when}: {key.to_user_string()} is asked for on {len(asked.get(key, ()))} days, "
        f"{len(due.get(key, ()))} are due"
        for key in sorted({*asked, *due})
        if asked.get(key) != due.get(key)
    ]


@contextmanager
def _profiled(is_on: bool) -> Iterator[None]:
    profile = cProfile.Profile()
    if is_on:
        profile.enable()
    yield
    if is_on:
        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)


if __name__ == "__main__":
    sys.exit(main())
