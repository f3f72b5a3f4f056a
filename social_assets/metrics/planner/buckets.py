"""Where the buckets of a range begin, in the question's time zone.

Belongs here: calendar arithmetic. Days have 23 to 25 hours where clocks change, so edges are made
by dates and never by adding hours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import (
    MOST_BUCKETS,
    ComparedRange,
    Question,
    QuestionError,
)

_HOUR = timedelta(hours=1)


def bucket_edges(question: Question) -> list[datetime]:
    """The start of the range, the begin of each further bucket, and the end; in UTC.

    The first and the last bucket may be parts of an hour, day, week or month. Raises QuestionError
    if there are too many.
    """
    grain = question.grain
    start, end = question.start.astimezone(UTC), question.end.astimezone(UTC)
    edges = [start]
    at = _next_begin(start, grain, question.time_zone)
    while at is not None and at < end:
        edges.append(at)
        if len(edges) > MOST_BUCKETS:
            raise QuestionError(
                "grain",
                f"the range has more than {MOST_BUCKETS:,} buckets of grain {grain.word}; "
                "ask for a coarser grain or a shorter range",
            )
        at = _next_begin(at, grain, question.time_zone)
    return [*edges, end]


def bucket_begin(at: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """The begin of the bucket that holds an instant, in UTC."""
    if grain is Grain.HOUR:
        local = at.astimezone(zone)
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return at.astimezone(UTC) - into
    return _midnight(_first_day(at.astimezone(zone).date(), grain), zone)


def earlier_question(question: Question) -> Question:
    """The same question of the range that the question's range is compared with."""
    start, end = compared_range(question)
    return replace(question, start=start, end=end, compare=None)


def compared_range(question: Question) -> tuple[datetime, datetime]:
    """The range that the question's range is compared with."""
    zone = question.time_zone
    if question.compare is ComparedRange.YEAR:
        return _year_before(question.start, zone), _year_before(question.end, zone)
    start, end = question.start.astimezone(zone), question.end.astimezone(zone)
    if start.time() == end.time() == time():
        days = end.date() - start.date()
        return _midnight(start.date() - days, zone), question.start
    return question.start - (question.end - question.start), question.start


def offsets_in(question: Question) -> list[tuple[datetime, timedelta]]:
    """The zone's offset from UTC at the start of the range, and each later one with its begin."""
    zone, step = question.time_zone, timedelta(days=1)
    at = question.start.astimezone(UTC)
    found = [(at, _offset(at, zone))]
    while at < question.end:
        following = min(at + step, question.end)
        if _offset(following, zone) != found[-1][1]:
            begin = _change(at, following, zone)
            found.append((begin, _offset(begin, zone)))
        at = following
    return found


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the offset changes."""
    offset = _offset(before, zone)
    first, last = int(before.timestamp()), int(after.timestamp()) + 1
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(datetime.fromtimestamp(middle, UTC), zone) == offset:
            first = middle
        else:
            last = middle
    return datetime.fromtimestamp(last, UTC)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _next_begin(at: datetime, grain: Grain, zone: ZoneInfo) -> datetime | None:
    if grain is Grain.TOTAL:
        return None
    if grain is Grain.HOUR:
        return bucket_begin(at, grain, zone) + _HOUR
    day = _first_day(at.astimezone(zone).date(), grain)
    if grain is Grain.DAY:
        following = day + timedelta(days=1)
    elif grain is Grain.WEEK:
        following = day + timedelta(days=7)
    else:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _midnight(following, zone)


def _first_day(day: date, grain: Grain) -> date:
    if grain is Grain.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain is Grain.MONTH else day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _year_before(at: datetime, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    try:
        return local.replace(year=local.year - 1).astimezone(UTC)
    except ValueError:  # 29 February
        return local.replace(year=local.year - 1, day=28).astimezone(UTC)
