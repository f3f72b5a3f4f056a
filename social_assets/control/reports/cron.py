"""When a report is due: five fields of cron in a time zone.

Belongs here: only what is refused before it is stored. Dagster computes the times.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: n for n, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9][0-9]?))?", re.ASCII)
_LONGEST_MONTHS = {month: calendar.monthrange(2024, month)[1] for month in range(1, 13)}


class CronError(ValueError):
    """A text is no schedule of cron, or names a time that never comes."""


def check_cron(cron: str) -> None:
    """Raise CronError, which names the field."""
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise CronError(
            f"{cron!r} has {len(fields)} fields; write five: minute, hour, day of month, month, "
            "day of week, such as '0 7 * * 1' for Mondays at seven"
        )
    _, _, days, months, weekdays = (
        _values(field, *kind) for field, kind in zip(fields, _FIELDS, strict=True)
    )
    every_weekday = {day % 7 for day in weekdays} == set(range(7))
    if every_weekday and min(days) > max(_LONGEST_MONTHS[month] for month in months):
        raise CronError(f"{cron!r} names a day that no such month has: it would never come")


def check_time_zone(time_zone: str) -> None:
    """Raise CronError for a name that the time zone database does not have."""
    if time_zone not in _zones():
        raise CronError(
            f"{time_zone!r} is no time zone; write a name such as Europe/Berlin, or UTC"
        )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _values(field: str, name: str, least: int, most: int, names: Mapping[str, int]) -> set[int]:
    values: set[int] = set()
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise CronError(f"the {name} {field!r} is not like *, 5, 1-5, */15 or 1,15")
        first, last, step = found.groups()
        if first is None:
            begin, end = least, most
        else:
            begin = _number(first, name, names)
            # With a step, a single number begins a range.
            end = _number(last, name, names) if last else most if step else begin
        if not least <= begin <= end <= most:
            raise CronError(f"the {name} {part!r} is not within {least} to {most}, in order")
        values.update(range(begin, end + 1, int(step or 1)))
    return values


def _number(text: str, name: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdecimal()) or len(text) > 2:
        raise CronError(f"the {name} {text!r} is neither a number nor a name")
    return int(text)
