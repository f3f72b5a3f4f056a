"""Which parts of a range are answered from which grain of tables.

Belongs here: the exact cover. A row of a table belongs to one bucket only if its whole hour, day or
month does; hours at the edges of days, and rows of the fact at the edges of hours, fill the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from social_assets.metrics.grain import Grain

Range = tuple[datetime, datetime]

MOST_RANGES = 200
"""A cover with more ranges of one grain than this is not worth its query: the next finer grain
answers alone."""


def cover(edges: Sequence[datetime], grains: Sequence[Grain]) -> Mapping[Grain, tuple[Range, ...]]:
    """Ranges for each grain that together are the whole range, none overlapping another.

    `edges` are the instants that no row may straddle, in UTC: the begin and end of all buckets.
    `grains` are those of the tables, in any order; INSTANT is always there.
    """
    levels = sorted({*grains, Grain.INSTANT}, reverse=True)
    while True:
        found = _cover(edges, levels)
        if len(levels) == 1 or all(len(ranges) <= MOST_RANGES for ranges in found.values()):
            return found
        levels = levels[1:]


def _cover(edges: Sequence[datetime], levels: Sequence[Grain]) -> dict[Grain, tuple[Range, ...]]:
    pieces: defaultdict[Grain, list[Range]] = defaultdict(list)
    for begin, end in _joined(edges, levels[0]):
        for grain, start, until in _one(begin, end, levels):
            ranges = pieces[grain]
            if ranges and ranges[-1][1] == start:
                ranges[-1] = (ranges[-1][0], until)
            else:
                ranges.append((start, until))
    return {grain: tuple(ranges) for grain, ranges in pieces.items()}


def _joined(edges: Sequence[datetime], top: Grain) -> list[Range]:
    """The buckets; as one where no row of the coarsest table straddles an edge between them."""
    if all(_floor(edge, top) == edge for edge in edges[1:-1]):
        return [(edges[0], edges[-1])]
    return list(pairwise(edges))


def _one(
    begin: datetime, end: datetime, levels: Sequence[Grain]
) -> list[tuple[Grain, datetime, datetime]]:
    if begin >= end:
        return []
    top, finer = levels[0], levels[1:]
    if top is Grain.INSTANT:
        return [(top, begin, end)]
    first, last = _ceiling(begin, top), _floor(end, top)
    if first >= last:
        return _one(begin, end, finer)
    return [*_one(begin, first, finer), (top, first, last), *_one(last, end, finer)]


def _floor(at: datetime, grain: Grain) -> datetime:
    """The begin of the UTC hour, day or month that holds an instant."""
    at = at.astimezone(UTC)
    if grain is Grain.INSTANT:
        return at
    at = at.replace(minute=0, second=0, microsecond=0)
    if grain is Grain.HOUR:
        return at
    at = at.replace(hour=0)
    return at if grain is Grain.DAY else at.replace(day=1)


def _ceiling(at: datetime, grain: Grain) -> datetime:
    floor = _floor(at, grain)
    if floor == at:
        return floor
    if grain is Grain.HOUR:
        return floor + timedelta(hours=1)
    if grain is Grain.DAY:
        return floor + timedelta(days=1)
    return (floor + timedelta(days=32)).replace(day=1)
