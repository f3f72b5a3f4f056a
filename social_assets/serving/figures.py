"""What the server counts of itself, as Prometheus reads it.

Belongs here: counters and a histogram, and their text form. One event loop counts, so no lock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServerFigures:
    """Counts since the server has started."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._cache: Counter[str] = Counter()
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def count_request(self, method: str, status: int, seconds: float) -> None:
        """A request that was answered."""
        self._requests[method, status] += 1
        self._buckets[bisect_left(_BOUNDS, seconds)] += 1
        self._seconds += seconds

    def count_cache(self, how: str) -> None:
        """A question: hit, miss, stale or error."""
        self._cache[how] += 1

    def text(self, cache_bytes: int, cache_entries: int) -> str:
        """The figures, one line each."""
        return "\n".join(self._lines(cache_bytes, cache_entries)) + "\n"

    def _lines(self, cache_bytes: int, cache_entries: int) -> Iterator[str]:
        yield "# HELP social_assets_http_requests_total Answered requests"
        yield "# TYPE social_assets_http_requests_total counter"
        for (method, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",status="{status}"'
            yield f"social_assets_http_requests_total{{{labels}}} {count}"
        yield "# HELP social_assets_http_request_seconds Time to the end of an answer"
        yield "# TYPE social_assets_http_request_seconds histogram"
        below = 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self._buckets, strict=True):
            below += count
            yield f'social_assets_http_request_seconds_bucket{{le="{bound}"}} {below}'
        yield f"social_assets_http_request_seconds_sum {self._seconds:.6f}"
        yield f"social_assets_http_request_seconds_count {below}"
        yield "# HELP social_assets_answers_total Questions by how the cache answered"
        yield "# TYPE social_assets_answers_total counter"
        for how, count in sorted(self._cache.items()):
            yield f'social_assets_answers_total{{cache="{how}"}} {count}'
        yield "# HELP social_assets_cache_bytes Bytes of answers that are kept"
        yield "# TYPE social_assets_cache_bytes gauge"
        yield f"social_assets_cache_bytes {cache_bytes}"
        yield "# HELP social_assets_cache_entries Answers that are kept"
        yield "# TYPE social_assets_cache_entries gauge"
        yield f"social_assets_cache_entries {cache_entries}"
