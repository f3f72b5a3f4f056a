"""How long records take from their creation until a rollup counts them.

Belongs here: the arithmetic: how many were created when, and how many were visible when. Both are
counts, so no single record has to be searched.
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
class FreshnessRecorder:
    """Collects creations and visible counts, from any thread; times in seconds of one clock.

    The n-th created record counts as visible when n records are visible. If records overtake each
    other, the result is off by that time.
    """

    _waiting: deque[tuple[int, float, int]] = field(default_factory=deque)
    _seen: deque[tuple[float, float, int]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _total: int = 0

    def created(self, records: int, at: float) -> None:
        """Add that so many records were created."""
        if records:
            with self._lock:
                self._total += records
                self._waiting.append((self._total, at, records))

    def visible(self, count: int, at: float) -> None:
        """Add that so many of all created records are visible."""
        with self._lock:
            while self._waiting and self._waiting[0][0] <= count:
                _, created_at, records = self._waiting.popleft()
                self._seen.append((at, at - created_at, records))

    def behind(self, at: float) -> float:
        """The age of the oldest record that is not visible yet; 0 if all are."""
        with self._lock:
            return at - self._waiting[0][1] if self._waiting else 0.0

    def delays(self, since: float = float("-inf")) -> Delays | None:
        """The delays of records that became visible since a time; None if there were none."""
        with self._lock:
            found = [(delay, records) for at, delay, records in self._seen if at >= since]
        if not found:
            return None
        delays, records = (np.array(column) for column in zip(*sorted(found), strict=True))
        cumulated = np.cumsum(records)
        places = np.searchsorted(cumulated, cumulated[-1] * np.array([0.5, 0.95, 0.99]))
        p50, p95, p99 = delays[places]
        return Delays(float(p50), float(p95), float(p99), int(cumulated[-1]))
