"""How new the rows behind an answer are, and which of its days are incomplete.

Belongs here: reading it, once a second at most, since all tiles of a dashboard ask. What makes a
day pending belongs to `warehouse.pending_days`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from social_assets.contracts.options.watermark import WATERMARK_DELAY
from social_assets.metrics.metric import SourceTable, Subject
from social_assets.warehouse.pending_days import ALL_DAYS, PendingDay, pending_days

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

KEPT_SECONDS = 1.0
_MOST_NAMED = 3
_Key = tuple[str, str]


@dataclass(frozen=True)
class AnswerFreshness:
    """How new the rows of an answer's subjects are."""

    newest_event: datetime | None
    """The time of the newest event; None if there is none."""
    watermark: datetime | None
    """Until when events count as complete: that of the stream that is furthest behind."""
    pending_days: tuple[date, ...] = ()
    """Days of the question that rollups or facts do not hold completely."""
    are_all_pending: bool = False
    """Whether every day is pending, since a table was lost."""

    @property
    def is_complete(self) -> bool:
        """Whether facts and rollups hold every accepted record of the days asked."""
        return not (self.pending_days or self.are_all_pending)

    def notes(self) -> tuple[str, ...]:
        """What is incomplete, and the remedy."""
        if self.is_complete:
            return ()
        named = ", ".join(map(str, self.pending_days[:_MOST_NAMED]))
        more = len(self.pending_days) - _MOST_NAMED
        days = "all days" if self.are_all_pending else named + (f" and {more} more" * (more > 0))
        return (f"incomplete: {days} are being rebuilt; `social-assets deploy` finishes them",)


UNKNOWN_FRESHNESS = AnswerFreshness(None, None)


@dataclass(frozen=True)
class _Read:
    """What was read for one subject, at a moment of the monotonic clock."""

    at: float
    newest: tuple[datetime | None, ...]
    """Of each source."""
    pending: tuple[PendingDay, ...]


class FreshnessOfSubjects:
    """Keeps what was read for each server and subject, for the threads of one process."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        """Values are read again when they are older than this."""
        self._kept_seconds = kept_seconds
        self._kept: dict[_Key, _Read] = {}
        self._locks: dict[_Key, Lock] = {}
        self._lock = Lock()

    def of(
        self,
        client: Client,
        subjects: Sequence[Subject],
        ranges: Sequence[tuple[datetime, datetime]],
    ) -> AnswerFreshness:
        """The freshness of an answer about subjects and ranges of time."""
        reads = [self._read(client, subject) for subject in subjects]
        newest = [each for read in reads for each in read.newest]
        known = [each for each in newest if each is not None]
        pending = {day.event_date for read in reads for day in read.pending}
        asked = sorted(day for day in pending if any(_holds(day, *each) for each in ranges))
        return AnswerFreshness(
            newest_event=max(known, default=None),
            watermark=min(known) - WATERMARK_DELAY if known and None not in newest else None,
            pending_days=tuple(asked),
            are_all_pending=ALL_DAYS in pending,
        )

    def _read(self, client: Client, subject: Subject) -> _Read:
        """One thread reads; others that come meanwhile wait for what it has read."""
        key = (str(getattr(client, "url", "")), subject.name)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            kept = self._kept.get(key)
            if kept is None or time.monotonic() - kept.at > self._kept_seconds:
                kept = _read(client, subject)
                self._kept[key] = kept
            return kept


def _read(client: Client, subject: Subject) -> _Read:
    streams = {source.stream for source in subject.sources}
    rows = client.query(" UNION ALL ".join(map(_newest, subject.sources))).result_rows
    found = {str(stream): newest for stream, newest in rows}
    return _Read(
        time.monotonic(),
        tuple(_instant(found[source.stream]) for source in subject.sources),
        tuple(day for day in pending_days(client) if day.stream in streams),
    )


def _newest(source: SourceTable) -> str:
    """Only the newest partition is read; which one that is, its metadata tell."""
    newest_day = f"(SELECT max(event_date) FROM {source.fact})"
    return (
        f"SELECT '{source.stream}' AS stream, toUnixTimestamp64Micro(toDateTime64("
        f"maxOrNull(event_time), 6, 'UTC')) AS newest\n"
        f"FROM {source.fact}\nWHERE event_date = {newest_day}"
    )


def _instant(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _holds(day: date, start: datetime, end: datetime) -> bool:
    last = end.astimezone(UTC) - timedelta(microseconds=1)
    return start.astimezone(UTC).date() <= day <= last.date()
