"""How far a chain has come: its cursor, and the newest record that was seen.

Belongs here: the text that a chain is resumed from, and high-water marks. Newest-first pages give
the newest record on the first page, so the mark is kept with the cursor until the chain is
complete.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from social_assets.ingest.connectors.declaration.json_path import value_at
from social_assets.ingest.connectors.declaration.paging import NewestFirst, Since, SinceId
from social_assets.ingest.connectors.engine.answers import CutRecord

_LONGEST_ID = 20
_MILLISECONDS = 10_000_000_000
"""A number above is a Unix time in milliseconds."""


@dataclass(frozen=True)
class ChainPosition:
    """Where a chain is: the cursor of its next page, that page's number, the newest mark so far."""

    cursor: str | None = None
    number: int = 1
    newest: str | None = None

    @classmethod
    def of(cls, resume: str | None) -> ChainPosition:
        """From the text of a ChainEnd or page. Another text is no position: the chain begins."""
        try:
            found = json.loads(resume or "{}")
            return cls(found.get("cursor"), int(found.get("number", 1)), found.get("newest"))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def text(self) -> str:
        """For the next chain to resume from."""
        return json.dumps({"cursor": self.cursor, "number": self.number, "newest": self.newest})

    def seen(
        self, since: Since | None, records: Sequence[CutRecord], now: datetime
    ) -> ChainPosition:
        """With the newest mark of a page's records."""
        if since is None:
            return self
        newest = [self.newest] if self.newest else []
        newest += [mark for record in records if (mark := mark_of(since, record, now))]
        return replace(self, newest=max(newest, key=_order(since), default=None))


def mark_of(since: Since, record: CutRecord, now: datetime) -> str | None:
    """A record's mark; None for a record that has none, or one that cannot be right."""
    if isinstance(since, SinceId):
        value = value_at(record.value, since.id)
        text = str(value) if isinstance(value, str | int) else ""
        return text if text.isdigit() and len(text) <= _LONGEST_ID else None
    time = time_of(value_at(record.value, since.time))
    # A time of the future would hide all posts until then.
    return None if time is None or time > now + timedelta(minutes=5) else time.isoformat()


def newer(since: Since | None, old: str | None, new: str | None) -> str | None:
    """The later one of two marks: a mark never goes back."""
    given = [mark for mark in (old, new) if mark]
    return max(given, key=_order(since), default=None) if since else old


def earlier(since: Since | None, mark: str | None, at: datetime) -> str | None:
    """The mark from which a chain reads what is newer than a time; never later than `mark`.

    None, which reads everything, if the endpoint cannot begin at a time.
    """
    if isinstance(since, NewestFirst):
        wanted = at.isoformat()
    elif isinstance(since, SinceId) and since.first_id is not None:
        wanted = since.first_id(at)
    else:
        return None
    return min(mark, wanted, key=_order(since)) if mark else None


def is_known(since: Since | None, mark: str | None, records: Sequence[CutRecord]) -> bool:
    """Whether a page, and so all that follow it, holds nothing but what is known."""
    if not isinstance(since, NewestFirst) or not mark or not records:
        return False
    known = time_of(mark)
    times = [time_of(value_at(record.value, since.time)) for record in records]
    read = [time for time in times if time is not None]
    if known is None or len(read) < len(times):
        return False
    # A page that is not newest first says nothing of those that follow it.
    is_newest_first = all(a >= b for a, b in pairwise(read))
    return is_newest_first and read[0] < known - since.margin


def time_of(value: object) -> datetime | None:
    """The time that a platform wrote: ISO 8601, or Unix seconds or milliseconds."""
    try:
        if isinstance(value, str) and not value.isdigit():
            time = datetime.fromisoformat(value)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        number = float(value)
        seconds = number / 1000 if number > _MILLISECONDS else number
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _order(since: Since | None) -> Callable[[str], float]:
    # An id is compared as a whole number, which a float of 64 bits could not hold.
    return int if isinstance(since, SinceId) else _time_order


def _time_order(mark: str) -> float:
    time = time_of(mark)
    return time.timestamp() if time else 0.0
