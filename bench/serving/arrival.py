"""Questions that arrive as people do: spread over some seconds, whether or not others are answered.

Belongs here: the arrival, measured from the moment at which each question was due. The sustained
load of many connections belongs to `load`.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

_MOST_AT_ONCE = 300
_WAIT_SECONDS = 60


@dataclass(frozen=True)
class Arrival:
    """How questions were answered that arrived within some seconds."""

    seconds: int
    milliseconds: tuple[float, ...]
    """Of each answer with status 200, sorted."""
    refused: int
    """Answers 503 with Retry-After."""
    failed: int

    def __str__(self) -> str:
        answered = len(self.milliseconds)
        return (
            f"{answered + self.refused + self.failed:,} arrive in {self.seconds} s: {answered:,} "
            f"answered, p50 {self._at(0.5):,.0f} ms, p95 {self._at(0.95):,.0f} ms, "
            f"p99 {self._at(0.99):,.0f} ms; {self.refused:,} told to come again, "
            f"{self.failed:,} failed"
        )

    def _at(self, part: float) -> float:
        if not self.milliseconds:
            return float("nan")
        return self.milliseconds[
            min(len(self.milliseconds) - 1, int(part * len(self.milliseconds)))
        ]


def arrive(port: int, key: str, paths: list[str], seconds: int) -> Arrival:
    """Ask each path once, evenly spread over the seconds."""
    begun = time.perf_counter()

    def asked(number: int) -> tuple[int, float]:
        due = begun + number * seconds / len(paths)
        time.sleep(max(0.0, due - time.perf_counter()))
        status = _status(port, key, paths[number])
        return status, (time.perf_counter() - due) * 1000

    with ThreadPoolExecutor(_MOST_AT_ONCE) as threads:
        found = list(threads.map(asked, range(len(paths))))
    return Arrival(
        seconds,
        tuple(sorted(took for status, took in found if status == 200)),
        sum(status == 503 for status, _ in found),
        sum(status not in (200, 503) for status, _ in found),
    )


def _status(port: int, key: str, path: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:  # noqa: S310
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
