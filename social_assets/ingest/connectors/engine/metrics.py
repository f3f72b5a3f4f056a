"""Finds which metric of a list is refused: the platform refuses a whole request for one.

Belongs here: that search, and what it has found. What is left out is told in a chain's notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_ALIKE = 3
_LEFT_OUT = 50


class RefusedMetrics:
    """The metrics that an endpoint has refused lately: a removed one is refused for all posts.

    After three chains in succession with the same ones, they are left out from the beginning, and
    asked for again after fifty chains.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[frozenset[str], int]] = {}

    def expected(self, endpoint: str) -> frozenset[str]:
        """The metrics to leave out of a chain that begins."""
        bad, times = self._found.get(endpoint, (frozenset(), 0))
        if times < _ALIKE:
            return frozenset()
        self._found[endpoint] = (bad, times + 1 if times < _LEFT_OUT else _ALIKE - 1)
        return bad

    def found(self, endpoint: str, bad: frozenset[str]) -> None:
        """A chain that asked for all metrics has found these to be refused, or none."""
        before, times = self._found.get(endpoint, (frozenset(), 0))
        self._found[endpoint] = (bad, times + 1 if bad == before and bad else bool(bad))


def named(metrics: Sequence[str], message: str) -> list[str]:
    """The metrics that an error names; or the one whose number it says, as `metric[2]`."""
    found = [each for each in metrics if re.search(rf"\b{re.escape(each)}\b", message)]
    numbered = re.search(r"metric\[(\d+)\]", message)
    if numbered and int(numbered[1]) < len(metrics):
        return [metrics[int(numbered[1])]]
    # A message that lists every metric names none.
    return found if len(found) < len(metrics) else []


def refused(metrics: Sequence[str], is_refused: Callable[[Sequence[str]], bool]) -> list[str]:
    """Of metrics that are refused together, those that are refused: by halves."""
    if len(metrics) == 1:
        return list(metrics)
    half = len(metrics) // 2
    return [
        bad
        for part in (metrics[:half], metrics[half:])
        if is_refused(part)
        for bad in refused(part, is_refused)
    ]
