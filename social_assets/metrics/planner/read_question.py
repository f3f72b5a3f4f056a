"""A question from the texts that people write: on a command line, in a URL, in a dashboard.

Belongs here: reading names, dates, presets and filters. What a question may ask is checked by
`question`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from social_assets.metrics.grain import ANSWERED, Grain
from social_assets.metrics.planner.question import (
    ComparedRange,
    Filter,
    Question,
    QuestionError,
    check,
)

_PRESET = re.compile(r"last_(\d{1,5})_(hours|days)", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ].+)?", re.ASCII)
_LONGEST_ZONE = 40
PRESETS = ("today", "yesterday", "last_24_hours", "last_7_days", "last_30_days", "last_90_days")
"""The ranges that pages offer; any `last_N_days` and `last_N_hours` is read."""


@dataclass(frozen=True)
class Texts:
    """The texts of a question. An empty one stands for the default."""

    metrics: Sequence[str]
    start: str = ""
    end: str = ""
    range: str = ""
    """A preset, such as `last_7_days`, in place of `start` and `end`."""
    grain: str = ""
    by: Sequence[str] = ()
    where: Mapping[str, Sequence[str]] | None = None
    zone: str = ""
    compare: str = ""
    order_by: str = ""
    """A metric; with a `-` before it, the smallest values come first."""
    limit: int = 1_000
    with_others: bool = False


def read_question(texts: Texts, now: datetime) -> Question:
    """The question that the texts ask at a moment. Raises QuestionError, which names the text."""
    zone = read_zone(texts.zone or "UTC")
    start, end = read_range(texts, zone, now)
    question = Question(
        metrics=tuple(dict.fromkeys(texts.metrics)),
        start=start,
        end=end,
        grain=read_grain(texts.grain or "total"),
        by=tuple(dict.fromkeys(texts.by)),
        where=tuple(
            Filter(name, tuple(dict.fromkeys(values)))
            for name, values in sorted((texts.where or {}).items())
        ),
        zone=zone.key,
        compare=_read_comparison(texts.compare),
        order_by=_read_ordering(texts.order_by),
        is_ascending=texts.order_by.startswith("-"),
        limit=texts.limit,
        with_others=texts.with_others,
    )
    check(question)
    return question


def read_zone(name: str) -> ZoneInfo:
    """The time zone of a name. Raises QuestionError."""
    try:
        if name not in _zones():
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QuestionError(
            "zone", f"{name[:_LONGEST_ZONE]!r} is no time zone; write one such as Europe/Berlin"
        ) from None


@cache
def _zones() -> frozenset[str]:
    # These two are links in the system's folder, and no names.
    return frozenset(available_timezones() - {"localtime", "posixrules"})


def read_grain(name: str) -> Grain:
    """The grain of a name. Raises QuestionError."""
    for grain in ANSWERED:
        if grain.word == name:
            return grain
    known = ", ".join(each.word for each in ANSWERED)
    raise QuestionError("grain", f"{name!r} is not kept; ask for one of {known}")


def read_range(texts: Texts, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The range, whose last day is included if `end` is a date. Raises QuestionError.

    Without any text, it is the last 30 days with today.
    """
    if texts.range and (texts.start or texts.end):
        raise QuestionError("range", "can't be combined with from and to; give one or the other")
    if texts.start or texts.end:
        end = _read_instant("to", texts.end, zone, is_end=True) if texts.end else now
        if not texts.start:
            raise QuestionError("from", "is missing; write a date such as 2026-11-01")
        return _read_instant("from", texts.start, zone, is_end=False), end
    return _read_preset(texts.range or "last_30_days", zone, now)


def _read_preset(name: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    today = now.astimezone(zone).date()
    if name == "today":
        return _midnight(today, zone), _midnight(today + timedelta(days=1), zone)
    if name == "yesterday":
        return _midnight(today - timedelta(days=1), zone), _midnight(today, zone)
    if found := _PRESET.fullmatch(name):
        number = int(found[1])
        if number and found[2] == "days":
            first = today - timedelta(days=number - 1)
            return _midnight(first, zone), _midnight(today + timedelta(days=1), zone)
        if number:
            hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return hour - timedelta(hours=number - 1), hour + timedelta(hours=1)
    raise QuestionError("range", f"{name!r} is no range; write one of {', '.join(PRESETS)}")


def _read_instant(parameter: str, text: str, zone: ZoneInfo, *, is_end: bool) -> datetime:
    try:
        form = _INSTANT.fullmatch(text)
        if form is None:
            # Python also reads 20261101 and 2026-W45-1; the end of such a day would be left out.
            raise ValueError(text)
        if form[1] is None:
            day = date.fromisoformat(text)
            return _midnight(day + timedelta(days=1) if is_end else day, zone)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise QuestionError(
            parameter,
            f"{text[:40]!r} is no date or time; write 2026-11-01 or 2026-11-01T09:00",
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise QuestionError(parameter, f"{text[:40]!r} is out of range") from None


def _read_ordering(text: str) -> str | None:
    name = text.removeprefix("-")
    if text and not name:
        raise QuestionError("order_by", "names no metric; write likes, or -likes for the smallest")
    return name or None


def _read_comparison(name: str) -> ComparedRange | None:
    if not name:
        return None
    for comparison in ComparedRange:
        if comparison.value == name:
            return comparison
    known = " or ".join(each.value for each in ComparedRange)
    raise QuestionError("compare", f"{name!r} is no comparison; write {known}")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
