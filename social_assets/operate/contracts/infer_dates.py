"""Finds out how the dates of a column are written where they do not begin with the year.

Belongs here: dates in figures, of which day and month may be exchanged. Forms that are read without
a declaration belong to `infer`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_DATE = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(\d{4}|\d{2})(?:(,? )(\d.*))?")
_CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f")


@dataclass(frozen=True)
class DatesInFigures:
    """The formats that read all dates of a column: one; or two, the first with the day first."""

    formats: tuple[str, ...]
    example: str

    @property
    def is_certain(self) -> bool:
        """Whether a date among them can be read in one way only."""
        return len(self.formats) == 1


def dates_in_figures(texts: Sequence[str]) -> DatesInFigures | None:
    """How these texts are written if all of them are such dates in one form."""
    first = _DATE.fullmatch(texts[0]) if texts else None
    if first is None:
        return None
    mark, year, between, clock = first.groups()
    years = "%Y" if len(year) == 4 else "%y"
    ends = [f"{between}{each}" for each in _CLOCKS] if clock else [""]
    for end in ends:
        orders = [mark.join((*order, years)) + end for order in (("%d", "%m"), ("%m", "%d"))]
        fitting = tuple(each for each in orders if _reads(each, texts))
        if fitting:
            return DatesInFigures(fitting, texts[0])
    return None


def _reads(time_format: str, texts: Sequence[str]) -> bool:
    try:
        for text in texts:
            datetime.strptime(text, time_format)
    except ValueError:
        return False
    return True
