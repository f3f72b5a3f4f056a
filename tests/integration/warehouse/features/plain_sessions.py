"""Sessions in plain Python: what the SQL of `features.sessions` is compared with.

Belongs here: the rules, one event after another, without windows and without days around.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, order=True)
class Event:
    """What a user did."""

    user: str
    at: datetime
    item: str


@dataclass(frozen=True, order=True)
class Session:
    """What a row of the table has."""

    day: date
    user: str
    begins: datetime
    ends: datetime
    events: int
    after_midnight: int
    items: int


def sessions(events: Iterable[Event]) -> list[Session]:
    """The sessions of all users."""
    by_user: dict[str, list[Event]] = {}
    for event in sorted(events):
        by_user.setdefault(event.user, []).append(event)
    return sorted(_session(part) for own in by_user.values() for part in _divided(own))


def _divided(events: list[Event]) -> Iterator[list[Event]]:
    """The events of a user, a session each: also divided after a day without a pause."""
    for activity in _without_pause(events):
        first = activity[0].at.date()
        part: list[Event] = []
        for event in activity:
            # The day on which it begins and the next; then each day alone.
            if part and event.at.date() > max(first + timedelta(days=1), part[0].at.date()):
                yield part
                part = []
            part.append(event)
        yield part


def _without_pause(events: list[Event]) -> Iterator[list[Event]]:
    part: list[Event] = []
    for event in events:
        if part and event.at - part[-1].at > PAUSE:
            yield part
            part = []
        part.append(event)
    yield part


def _session(events: list[Event]) -> Session:
    begins, ends = events[0].at, events[-1].at
    midnight = datetime.combine(begins.date() + timedelta(days=1), datetime.min.time(), UTC)
    return Session(
        begins.date(),
        events[0].user,
        begins,
        ends,
        len(events),
        sum(event.at >= midnight for event in events),
        len({event.item for event in events}),
    )
