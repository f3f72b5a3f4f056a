"""Finds which metric of a list is refused: the platform refuses a whole request for one.

Belongs here: only that search. What is left out is told in the chain's notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence


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
