"""How long records take from their creation until a rollup counts them.

Here belongs the arithmetic: what was created when, against how many are visible when. Both are
counts, so that no record has to be looked for.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np

WINDOW_SECONDS = 60.0


@dataclass(frozen=True)
class Delays:
    """Seconds from creation to visibility: percentiles over records, and how many these were."""

    p50: float
    p95: float
    p99: float
    records: int


@dataclass
class Freshness:
    """Takes note of creations and of counts seen, from any thread; times in seconds of one clock.

    The n-th record created counts as visible when n records are. Where records overtake each other
    on their way this is off by as much as they do.
    """

    _waiting: deque[tuple[int, float, int]] = field(default_factory=deque)
    _seen: deque[tuple[float, float, int]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _total: int = 0

    def created(self, records: int, at: float) -> None:
        """So many records more were created."""
        if records:
            with self._lock:
                self._total += records
                self._waiting.append((self._total, at, records))

    def visible(self, count: int, at: float) -> None:
        """So many of all that were created are visible."""
        with self._lock:
            while self._waiting and self._waiting[0][0] <= count:
                _, created_at, records = self._waiting.popleft()
                self._seen.append((at, at - created_at, records))

    def behind(self, at: float) -> float:
        """The age of the oldest record that is not visible yet; 0 if all are."""
        with self._lock:
            return at - self._waiting[0][1] if self._waiting else 0.0

    def delays(self, since: float = float("-inf")) -> Delays | None:
        """Of the records that became visible since a time; None if there were none."""
        with self._lock:
            found = [(delay, records) for at, delay, records in self._seen if at >= since]
        if not found:
            return None
        delays, records = (np.array(column) for column in zip(*sorted(found), strict=True))
        cumulated = np.cumsum(records)
        places = np.searchsorted(cumulated, cumulated[-1] * np.array([0.5, 0.95, 0.99]))
        p50, p95, p99 = delays[places]
        return Delays(float(p50), float(p95), float(p99), int(cumulated[-1]))
