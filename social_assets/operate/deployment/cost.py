"""How long a deployment takes, estimated from the newest runs that made days of the same tables.

Belongs here: reading Dagster's records of runs. Which tables are made anew is in `plan`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from dagster import AssetKey, DagsterInstance

from social_assets.operate.deployment.plan import TablePlan

_RUNS = 3
_RECORDS = 500
"""So many records of days of a table are read at most."""


@dataclass(frozen=True)
class Cost:
    """The seconds that the known steps take, and the tables of which no run is on record."""

    seconds: float
    runs: int
    """From so many runs."""
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class _Step:
    run_id: str
    name: str


def estimate(instance: DagsterInstance, tables: Sequence[TablePlan]) -> Cost:
    """What it costs to make the days of these tables anew.

    A step takes the median of its seconds a day in its newest runs, for each day. A step makes the
    tables of a layer together, so that the estimate is too high where few of them are made.
    """
    days: dict[str, int] = {}
    seconds: defaultdict[str, dict[str, float]] = defaultdict(dict)
    unknown = []
    for table in tables:
        key = _asset(table.table)
        if key is None or not table.days:
            continue
        found = list(_newest(instance, key))
        if not found:
            unknown.append(table.table)
        for step, of_a_day in found:
            seconds[step.name][step.run_id] = of_a_day
            days[step.name] = max(days.get(step.name, 0), len(table.days))
    total = sum(median(runs.values()) * days[step] for step, runs in seconds.items())
    runs = {run_id for each in seconds.values() for run_id in each}
    return Cost(total, len(runs), tuple(unknown))


def _asset(table: str) -> AssetKey | None:
    """The asset of a table; None of `cleaned.<stream>` and quarantine, made with `cleaned/`.

    Raw is divided anew by a deployment alone, so that no run of an asset tells how long it takes.
    """
    layer, _, name = table.replace(".", "/").partition("/")
    if table.startswith("cleaned.") or layer in ("quarantine", "raw"):
        return None
    # The daily states of a dimension belong to the asset of its view.
    is_dimension = name.startswith("dim_")
    return AssetKey([layer, name.removesuffix("_daily") if is_dimension else name])


def _newest(instance: DagsterInstance, key: AssetKey) -> Iterator[tuple[_Step, float]]:
    """The newest steps that made days of an asset, and their seconds a day."""
    layer, name = key.path
    made_by = f"clean_{name}" if layer == "cleaned" else layer
    days: defaultdict[_Step, set[str]] = defaultdict(set)
    for record in instance.fetch_materializations(key, limit=_RECORDS).records:
        if record.event_log_entry.step_key == made_by and record.partition_key:
            days[_Step(record.run_id, made_by)].add(record.partition_key)
    for step, made in list(days.items())[:_RUNS]:
        for stats in instance.get_run_step_stats(step.run_id, [step.name]):
            if stats.start_time and stats.end_time:
                yield step, (stats.end_time - stats.start_time) / len(made)
