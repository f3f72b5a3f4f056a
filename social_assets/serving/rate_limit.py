"""How often a key may ask: a bucket of requests for each, filled evenly.

Belongs here: counting. A key may use its minute's requests at once, and then waits for more. The
count is this server's: several servers allow a key so many requests each.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from social_assets.serving.callers import Caller
from social_assets.serving.problems import ProblemError

_MOST_KEYS = 100_000


@dataclass
class _Bucket:
    left: float
    at: float


class RateLimit:
    """The buckets of all keys. One event loop counts, so no lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: Caller) -> None:
        """Count a request. Raises ProblemError if the caller has none left."""
        if caller.per_minute is None:
            return
        now, each_second = self._clock(), caller.per_minute / 60
        bucket = self._buckets.get(caller.name)
        if bucket is None:
            bucket = self._buckets[caller.name] = _Bucket(caller.per_minute, now)
            if len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        bucket.left = min(caller.per_minute, bucket.left + (now - bucket.at) * each_second)
        bucket.at = now
        if bucket.left < 1:
            raise ProblemError(
                429,
                f"the key {caller.name} may ask {caller.per_minute} times a minute",
                "Wait as long as Retry-After says; `social-assets keys create --per-minute` makes "
                "a key that may ask more often.",
                retry_after=max(1, math.ceil((1 - bucket.left) / each_second)),
            )
        bucket.left -= 1
