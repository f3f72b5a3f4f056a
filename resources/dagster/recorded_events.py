"""Records many events of a run together.

Belongs here: how events and check results are recorded. What they say belongs to those who make
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any, Protocol

from dagster import DagsterInstance


class EventRecorder(Protocol):
    """The part of a run's context that records: of an op or of an asset."""

    @property
    def instance(self) -> DagsterInstance:
        """The Dagster instance."""
        ...

    def log_event(self, event: Any) -> None:
        """Record an event of the run."""
        ...


def record(context: EventRecorder, events: Iterable[object]) -> int:
    """Record events and check results, and return how many.

    SQLite stores them in transactions of up to 500, which takes half the time of one by one.
    All are made before the first is recorded, so that other processes do not wait for the making.
    """
    # Imported here: a code server loads the jobs, and no event log.
    from resources.dagster.event_log import BATCH_SIZE, BatchedSqliteEventLog

    made = list(events)
    storage = context.instance.event_log_storage
    for start in range(0, len(made), BATCH_SIZE):
        ours = storage if isinstance(storage, BatchedSqliteEventLog) else None
        with ours.one_transaction() if ours else nullcontext():
            for event in made[start : start + BATCH_SIZE]:
                context.log_event(event)
    return len(made)
