"""The cover of a range: every instant once, from the coarsest table whose rows are whole in it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.cover import MOST_RANGES, cover

ALL = (Grain.HOUR, Grain.DAY, Grain.MONTH)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_months_days_hours_and_rows_share_a_range() -> None:
    edges = [at("2026-01-30T22:30"), at("2026-04-01T01:00")]
    assert cover(edges, ALL) == {
        Grain.INSTANT: ((at("2026-01-30T22:30"), at("2026-01-30T23:00")),),
        Grain.HOUR: (
            (at("2026-01-30T23:00"), at("2026-01-31")),
            (at("2026-04-01"), at("2026-04-01T01:00")),
        ),
        Grain.DAY: ((at("2026-01-31"), at("2026-02-01")),),
        Grain.MONTH: ((at("2026-02-01"), at("2026-04-01")),),
    }


def test_an_absent_grain_is_filled_by_the_finer_one() -> None:
    edges = [at("2026-01-30"), at("2026-04-02")]
    assert cover(edges, (Grain.HOUR, Grain.DAY)) == {Grain.DAY: (tuple(edges),)}
    assert cover(edges, ()) == {Grain.INSTANT: (tuple(edges),)}


def test_a_day_that_straddles_the_edge_of_a_bucket_comes_from_hours() -> None:
    edges = [at("2026-01-01"), at("2026-01-02T05:00"), at("2026-01-03")]
    assert cover(edges, (Grain.HOUR, Grain.DAY)) == {
        Grain.DAY: ((at("2026-01-01"), at("2026-01-02")),),
        Grain.HOUR: ((at("2026-01-02"), at("2026-01-03")),),
    }


def test_days_of_a_utc_range_are_one_range_of_days() -> None:
    edges = [at("2026-01-01") + timedelta(days=n) for n in range(300)]
    assert cover(edges, (Grain.HOUR, Grain.DAY)) == {Grain.DAY: ((edges[0], edges[-1]),)}


def test_a_cover_in_too_many_pieces_leaves_out_the_coarsest_grain() -> None:
    edges = [at("2026-01-01T05:00") + timedelta(days=2 * n) for n in range(MOST_RANGES + 2)]
    assert cover(edges, (Grain.HOUR, Grain.DAY)) == {Grain.HOUR: ((edges[0], edges[-1]),)}


def test_a_range_within_a_minute_comes_from_the_fact() -> None:
    edges = [at("2026-01-01T05:00:01"), at("2026-01-01T05:00:02")]
    assert cover(edges, ALL) == {Grain.INSTANT: (tuple(edges),)}


_INSTANTS = st.integers(0, 200 * 24 * 4).map(lambda n: at("2026-01-01") + timedelta(minutes=15 * n))


@given(
    edges=st.lists(_INSTANTS, min_size=2, max_size=8, unique=True).map(sorted),
    grains=st.sets(st.sampled_from(ALL)),
)
def test_ranges_of_all_grains_make_the_range_without_gap_or_overlap(
    edges: list[datetime], grains: set[Grain]
) -> None:
    found = cover(edges, tuple(grains))
    assert set(found) <= grains | {Grain.INSTANT}
    ranges = sorted(each for of_grain in found.values() for each in of_grain)
    assert ranges[0][0] == edges[0]
    assert ranges[-1][1] == edges[-1]
    for one, other in itertools.pairwise(ranges):
        assert one[0] < one[1] == other[0]
    for begin, end in found.get(Grain.DAY, ()):
        assert (begin.hour, end.hour, begin.minute, end.minute) == (0, 0, 0, 0)
        inside = [edge for edge in edges if begin < edge < end]
        assert all((edge.hour, edge.minute) == (0, 0) for edge in inside)
