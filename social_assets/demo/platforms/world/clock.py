"""The simulated time of the server.

Belongs here: reading, setting and moving the clock. What happens at a time belongs to the world.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import time
from zoneinfo import ZoneInfo

DAY = 86_400
HOUR = 3_600
PACIFIC = ZoneInfo("America/Los_Angeles")


class SimulatedClock:
    """Simulated Unix seconds: real time at first, then as it is set; it runs at a rate.

    A clock that is given a time stands still there until it is set.
    """

    def __init__(self, at: float | None = None) -> None:
        self._real = time()
        self._at = self._real if at is None else at
        self.rate = 1.0 if at is None else 0.0

    def now(self) -> float:
        """Return the simulated time in Unix seconds."""
        return self._at + (time() - self._real) * self.rate

    def set(self, at: float, rate: float) -> None:
        """Set the time, and how many simulated seconds pass in a real one (0: none)."""
        self._at, self._real, self.rate = at, time(), rate


def parsed(text: str) -> int:
    """Return Unix seconds of an ISO 8601 time, a date or a number."""
    if text.isdigit():
        return int(text)
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def zulu(at: float) -> str:
    """Write a time as YouTube does: `2026-11-20T08:31:00Z`."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zulu_milliseconds(at: float) -> str:
    """Write a time as X does: `2026-11-20T08:31:00.000Z`."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def offset_time(at: float) -> str:
    """Write a time as Meta does: `2026-11-20T08:31:00+0000`."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def pacific_midnight_after(at: float) -> int:
    """Return the Unix second of the first midnight in Pacific Time after the given time."""
    local = datetime.fromtimestamp(at, PACIFIC)
    tomorrow = local.date() + timedelta(days=1)
    return int(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=PACIFIC).timestamp())


def pacific_day_ends(since: float, until: float) -> list[int]:
    """Return the ends of the Pacific days that end after `since` and not after `until`."""
    ends = []
    end = pacific_midnight_after(since)
    while end <= until:
        ends.append(end)
        end = pacific_midnight_after(end)
    return ends
