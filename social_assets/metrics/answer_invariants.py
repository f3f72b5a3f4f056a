"""Whether the invariants hold on the days of an answer: they hold, are broken, or are not checked.

Belongs here: reading it, once in some seconds at most, since all tiles of a dashboard ask. What an
invariant is, and when it is compared, belongs to `quality`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

from social_assets.metrics.metric import Subject
from social_assets.warehouse.compared_days import (
    PartitionStates,
    ResultsOfTable,
    results_of,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

KEPT_SECONDS = 10.0
_MOST_NAMED = 3
_NO_RESULTS = ResultsOfTable({}, {}, {})


class InvariantState(StrEnum):
    """What the invariants say of the days of an answer."""

    HOLD = "hold"
    BROKEN = "broken"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class AnswerInvariants:
    """What the invariants say of the days whose rows an answer is made of."""

    broken_days: tuple[date, ...] = ()
    """Days that failed when they were compared last."""
    unchecked_days: tuple[date, ...] = ()
    """Days with rows that were never compared, or that have changed since."""
    held_days: int = 0
    checked_at: datetime | None = None
    """When the days that hold were compared: the earliest of these moments."""

    @property
    def state(self) -> InvariantState:
        """Broken if a day is; hold if each day with rows was compared, and has not changed since.

        Not checked if a day was not, or if no day has rows.
        """
        if self.broken_days:
            return InvariantState.BROKEN
        is_checked = self.held_days and not self.unchecked_days
        return InvariantState.HOLD if is_checked else InvariantState.NOT_CHECKED

    def in_words(self) -> str:
        """A sentence for readers, with the remedy."""
        if self.broken_days:
            return (
                f"broken on {_named(self.broken_days)}: rows are lost or doubled there; "
                "the failed checks of its tables in Dagster say how many"
            )
        if self.unchecked_days:
            held = f"hold on {_counted(self.held_days)}; " if self.held_days else ""
            return f"{held}not checked since the last change: {_named(self.unchecked_days)}"
        if self.checked_at is None:
            return "not checked: no day has rows"
        return f"hold, compared at {self.checked_at:%Y-%m-%d %H:%M} UTC or later"


NOT_CHECKED = AnswerInvariants()


@dataclass(frozen=True)
class _Read:
    """What was read for one subject, at a moment of the monotonic clock."""

    at: float
    results: Mapping[str, ResultsOfTable]
    states: PartitionStates


class InvariantsOfSubjects:
    """Keeps what was read for each server and subject, for the threads of one process."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        """Results are read again when they are older than this."""
        self._kept_seconds = kept_seconds
        self._kept: dict[tuple[str, str], _Read] = {}
        self._locks: dict[tuple[str, str], Lock] = {}
        self._lock = Lock()

    def of(
        self,
        client: Client,
        subjects: Sequence[Subject],
        tables: Collection[str],
        ranges: Sequence[tuple[datetime, datetime]],
    ) -> AnswerInvariants:
        """What the invariants say of the days of some ranges, in tables that have answered."""
        broken: set[date] = set()
        unchecked: set[date] = set()
        held: dict[date, int] = {}
        for subject in subjects:
            read = self._read(client, subject)
            bases = _bases(subject)
            used = [
                each.table for each in subject.rollups if each.table in tables and not each.is_view
            ]
            with_rows = {day for name in bases for day in read.states.of_days.get(name, {})}
            for name in (*bases, *used):
                results = read.results.get(name, _NO_RESULTS)
                own = _days_of(subject, name, read.states) if name in bases else with_rows
                asked = list(_within(own, ranges))
                broken.update(_within(results.broken, ranges))
                unchecked.update(_within(results.changed, ranges))
                unchecked.update(
                    day for day in asked if day not in results.held and day not in results.broken
                )
                for day in asked:
                    if day in results.held:
                        held[day] = min(results.held[day], held.get(day, results.held[day]))
        bad = broken | unchecked
        moments = [at for day, at in held.items() if day not in bad]
        return AnswerInvariants(
            tuple(sorted(broken)),
            tuple(sorted(unchecked - broken)),
            len(moments),
            datetime.fromtimestamp(min(moments), UTC) if moments else None,
        )

    def _read(self, client: Client, subject: Subject) -> _Read:
        """What was read last. One thread reads again; the others need not wait for it."""
        key = (str(getattr(client, "url", "")), subject.name)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        kept = self._kept.get(key)
        if kept is not None and not self._is_old(kept):
            return kept
        if not lock.acquire(blocking=kept is None) and kept is not None:
            return kept
        try:
            kept = self._kept.get(key)
            if kept is None or self._is_old(kept):
                kept = self._kept[key] = _read(client, subject)
            return kept
        finally:
            lock.release()

    def _is_old(self, kept: _Read) -> bool:
        return time.monotonic() - kept.at > self._kept_seconds


def _read(client: Client, subject: Subject) -> _Read:
    bases = _bases(subject)
    tables = (*bases, *(each.table for each in subject.rollups))
    return _Read(time.monotonic(), *results_of(client, tables))


def _bases(subject: Subject) -> tuple[str, ...]:
    """The tables behind every answer of a subject: those of its streams, and its facts."""
    streams = (f"cleaned.{source.stream}" for source in subject.sources)
    return tuple(dict.fromkeys((*streams, *(source.fact for source in subject.sources))))


def _days_of(subject: Subject, name: str, states: PartitionStates) -> set[date]:
    """The days on which a table has rows, or if it is a fact those of its streams.

    A fact that lacks a whole day of its streams has never been compared on that day.
    """
    streams = [f"cleaned.{each.stream}" for each in subject.sources if each.fact == name]
    return {day for table in (name, *streams) for day in states.of_days.get(table, {})}


def _within(days: Iterable[date], ranges: Sequence[tuple[datetime, datetime]]) -> Iterable[date]:
    edges = [
        (start.astimezone(UTC).date(), (end.astimezone(UTC) - timedelta(microseconds=1)).date())
        for start, end in ranges
    ]
    return (day for day in days if any(first <= day <= last for first, last in edges))


def _named(days: Sequence[date]) -> str:
    more = len(days) - _MOST_NAMED
    return ", ".join(map(str, days[:_MOST_NAMED])) + (f" and {more:,} more" if more > 0 else "")


def _counted(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
