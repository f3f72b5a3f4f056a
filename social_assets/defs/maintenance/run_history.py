"""Deletes old runs from Dagster's records, with their events and logs.

Belongs here: which runs may be deleted. Dagster's `retention` (`dagster.yaml`) covers only ticks of
sensors and schedules; runs stay until somebody deletes them. Deleting a run deletes its events.
Without its newest materialization, a partition would be missing in the UI and for automation. So a
run that made the newest materialization of any partition is kept, however old it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, EventRecordsFilter, RunRecord, RunsFilter

from resources.dagster.event_log import SqliteEventLogStorage
from resources.dagster.private import FINISHED_STATUSES

RUNS_A_NIGHT = 500
_AT_ONCE = 500
_MATERIALIZATION = DagsterEventType.ASSET_MATERIALIZATION


@dataclass(frozen=True)
class ForgottenRuns:
    """Deleted runs, old runs that are kept because of a partition, bytes of deleted files."""

    deleted: int
    kept: int
    bytes_freed: int


def forget_runs(
    instance: DagsterInstance, before: datetime, at_most: int = RUNS_A_NIGHT
) -> ForgottenRuns:
    """Delete finished runs that were created before `before`; the oldest first."""
    old = _runs_before(instance, before)
    needed = runs_of_newest_materializations(instance) if old else set()
    bytes_freed = deleted = 0
    for record in old:
        if deleted == at_most:
            break
        run_id = record.dagster_run.run_id
        if run_id not in needed:
            instance.delete_run(run_id)
            bytes_freed += _delete_files(instance, run_id)
            deleted += 1
    kept = sum(record.dagster_run.run_id in needed for record in old)
    return ForgottenRuns(deleted, kept, bytes_freed)


def runs_of_newest_materializations(instance: DagsterInstance) -> set[str]:
    """The runs with the newest materialization of any partition, or of an unpartitioned asset."""
    found: set[str] = set()
    storage = instance.event_log_storage
    for key in instance.all_asset_keys():
        newest = instance.get_latest_materialization_event(key)
        if newest is not None:
            found.add(newest.run_id)
        ids = sorted(storage.get_latest_storage_id_by_partition(key, _MATERIALIZATION).values())
        for begin in range(0, len(ids), _AT_ONCE):
            some = EventRecordsFilter(
                _MATERIALIZATION, asset_key=key, storage_ids=ids[begin : begin + _AT_ONCE]
            )
            found |= {r.event_log_entry.run_id for r in storage.get_event_records(some)}
    return found


def _runs_before(instance: DagsterInstance, before: datetime) -> list[RunRecord]:
    ended = RunsFilter(statuses=list(FINISHED_STATUSES), created_before=before)
    return list(instance.get_run_records(ended, ascending=True, order_by="id"))


def _delete_files(instance: DagsterInstance, run_id: str) -> int:
    """Delete the run's captured output, and with SQLite its own database, which is empty then."""
    size = 0
    for path in _database(instance, run_id):
        size += path.stat().st_size
        path.unlink()
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    return size


def _database(instance: DagsterInstance, run_id: str) -> Iterator[Path]:
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        shard = Path(storage.path_for_shard(run_id))
        yield from sorted(shard.parent.glob(f"{shard.name}*"))
