"""The failing days of a check that has no partitions.

Belongs here: which days a run has to validate besides its own, and the one result for all of them.
A failing result names its days in its metadata (`failing_days`), and the next run validates them
again, whatever days it has. So a run over other days, or over none, never makes a failing check
pass, and the failure of a day ends if the day is rebuilt, unloaded or expired. Only Dagster's own
results are stored. Invariants are partitioned checks and do not need this.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    DagsterInstance,
    JsonMetadataValue,
    MetadataValue,
)

from resources.dagster.private import COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES

FAILING_DAYS = "failing_days"
DAYS_SHOWN = 5
_RESULTS_READ = 10
"""Concurrent runs do not see each other's results, so the days of the last few are read."""

_COMPLETED = set(COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES)


def failing_days(instance: DagsterInstance, check: AssetCheckKey) -> set[date]:
    """The days that the last few results of a check name as failing."""
    found: set[date] = set()
    for record in instance.event_log_storage.get_asset_check_execution_history(
        check, limit=_RESULTS_READ, status=_COMPLETED
    ):
        listed = record.evaluation.metadata.get(FAILING_DAYS) if record.evaluation else None
        if isinstance(listed, JsonMetadataValue) and isinstance(listed.data, list):
            found |= {date.fromisoformat(str(day)) for day in listed.data}
    return found


def days_to_validate(
    instance: DagsterInstance, check: AssetCheckKey, days: Sequence[date] | None
) -> list[date] | None:
    """The days of a run and the failing days; None means all days, if the run names none."""
    return None if days is None else sorted({*days, *failing_days(instance, check)})


def failing_days_metadata(days: Iterable[date]) -> dict[str, MetadataValue]:
    """The metadata from which the next run reads the failing days; empty without any."""
    listed = [day.isoformat() for day in sorted(days)]
    return {FAILING_DAYS: MetadataValue.json(listed)} if listed else {}


def listed(days: Iterable[date]) -> str:
    """The days for a description: the newest few, and how many more."""
    newest = sorted(days, reverse=True)
    more = f" and {len(newest) - DAYS_SHOWN} more" if len(newest) > DAYS_SHOWN else ""
    return ", ".join(str(day) for day in newest[:DAYS_SHOWN]) + more


def worst(by_day: Mapping[date | None, AssetCheckResult]) -> AssetCheckResult:
    """The result of a check over several days: the worst one, with all failing days.

    If all days pass, it is the result of the newest day. The key None means no day.
    """
    in_order = sorted(by_day, key=lambda day: day or date.min, reverse=True)
    failing = [day for day in in_order if day is not None and not by_day[day].passed]
    if not failing:
        return by_day[in_order[0]]
    errors = [day for day in failing if by_day[day].severity == AssetCheckSeverity.ERROR]
    found = by_day[(errors or failing)[0]]
    description = found.description
    if len(failing) > 1:
        description = f"{description}; fails on {len(failing)} days: {listed(failing)}"
    return AssetCheckResult(
        asset_key=found.asset_key,
        check_name=found.check_name,
        passed=False,
        severity=found.severity,
        description=description,
        metadata={**found.metadata, **failing_days_metadata(failing)},
    )
