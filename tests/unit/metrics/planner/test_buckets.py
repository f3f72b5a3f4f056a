"""Buckets begin where the zone's hours, days, weeks and months begin, also where clocks change."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.buckets import (
    bucket_begin,
    bucket_edges,
    compared_range,
    earlier_question,
    offsets_in,
)
from social_assets.metrics.planner.question import ComparedRange, Question, QuestionError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def question(
    start: str,
    end: str,
    grain: Grain = Grain.DAY,
    zone: str = "UTC",
    compare: ComparedRange | None = None,
) -> Question:
    return Question(("likes",), at(start), at(end), grain, zone=zone, compare=compare)


def lengths(asked: Question) -> list[float]:
    """The hours between edges."""
    edges = bucket_edges(asked)
    return [(b - a) / timedelta(hours=1) for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize(
    ("start", "end", "zone", "hours"),
    [
        ("2026-03-27T23:00", "2026-03-30T22:00", "Europe/Berlin", [24, 23, 24]),
        ("2026-10-23T22:00", "2026-10-26T23:00", "Europe/Berlin", [24, 25, 24]),
        # Lord Howe's clocks change by half an hour.
        ("2026-04-03T13:00", "2026-04-05T13:30", "Australia/Lord_Howe", [24, 24.5]),
        # In Cairo the hour after midnight is left out.
        ("2026-04-22T22:00", "2026-04-24T21:00", "Africa/Cairo", [24, 23]),
        ("2026-01-01T05:30", "2026-01-02T18:30", "Asia/Kolkata", [13, 24]),
    ],
)
def test_days_have_the_length_that_clocks_give_them(
    start: str, end: str, zone: str, hours: list[float]
) -> None:
    assert lengths(question(start, end, zone=zone)) == hours


def test_the_first_and_last_week_may_be_parts() -> None:
    edges = bucket_edges(question("2026-01-01", "2026-01-14", Grain.WEEK))
    assert edges == [at("2026-01-01"), at("2026-01-05"), at("2026-01-12"), at("2026-01-14")]


def test_a_range_that_begins_on_monday_has_no_part_before_it() -> None:
    edges = bucket_edges(question("2026-01-05", "2026-01-12", Grain.WEEK))
    assert edges == [at("2026-01-05"), at("2026-01-12")]


def test_months_have_their_own_lengths() -> None:
    edges = bucket_edges(question("2026-01-31", "2026-03-02", Grain.MONTH))
    assert edges == [at("2026-01-31"), at("2026-02-01"), at("2026-03-01"), at("2026-03-02")]


def test_hours_of_a_half_hour_zone_begin_at_half_past() -> None:
    edges = bucket_edges(
        question("2026-01-01T00:00", "2026-01-01T02:00", Grain.HOUR, "Asia/Kolkata")
    )
    assert edges == [
        at("2026-01-01T00:00"),
        at("2026-01-01T00:30"),
        at("2026-01-01T01:30"),
        at("2026-01-01T02:00"),
    ]


def test_a_total_is_one_bucket() -> None:
    asked = question("2026-01-01T00:10", "2026-03-01", Grain.TOTAL)
    assert bucket_edges(asked) == [asked.start, asked.end]


def test_too_many_buckets_are_refused_by_name_of_the_grain() -> None:
    with pytest.raises(
        QuestionError, match="more than 10,000 buckets of grain hour; ask for a coarser"
    ):
        bucket_edges(question("2024-01-01", "2026-01-01", Grain.HOUR))
    assert len(bucket_edges(question("2024-01-01", "2026-01-01", Grain.DAY))) == 732


@pytest.mark.parametrize(
    ("grain", "zone", "begin"),
    [
        (Grain.HOUR, "Asia/Kathmandu", "2026-03-04T09:15"),
        (Grain.DAY, "Europe/Berlin", "2026-03-03T23:00"),
        (Grain.WEEK, "UTC", "2026-03-02T00:00"),
        (Grain.MONTH, "America/New_York", "2026-03-01T05:00"),
    ],
)
def test_the_bucket_of_an_instant_begins_in_its_zone(grain: Grain, zone: str, begin: str) -> None:
    asked = question("2026-03-04", "2026-03-05", grain, zone)
    assert bucket_begin(at("2026-03-04T10:10:09"), grain, asked.time_zone) == at(begin)


@pytest.mark.parametrize(
    ("start", "end", "zone", "earlier"),
    [
        ("2026-01-08", "2026-01-15", "UTC", "2026-01-01"),
        # A week with the change of clocks has an hour less, the week before has all.
        ("2026-03-28T23:00", "2026-04-04T22:00", "Europe/Berlin", "2026-03-21T23:00"),
        # Whole days count as days, although the 29th has only 23 hours.
        ("2026-03-28T23:00", "2026-03-29T22:00", "Europe/Berlin", "2026-03-27T23:00"),
        ("2026-01-08T06:00", "2026-01-08T09:30", "UTC", "2026-01-08T02:30"),
    ],
)
def test_the_previous_range_ends_where_the_range_begins(
    start: str, end: str, zone: str, earlier: str
) -> None:
    asked = question(start, end, zone=zone, compare=ComparedRange.PREVIOUS)
    assert compared_range(asked) == (at(earlier), asked.start)


def test_the_year_before_has_the_same_dates() -> None:
    asked = question("2026-06-30T22:00", "2026-07-31T22:00", zone="Europe/Berlin")
    asked = earlier_question(
        Question(asked.metrics, asked.start, asked.end, zone=asked.zone, compare=ComparedRange.YEAR)
    )
    assert (asked.start, asked.end) == (at("2025-06-30T22:00"), at("2025-07-31T22:00"))
    assert asked.compare is None


def test_the_year_before_the_29th_of_february_is_the_28th() -> None:
    asked = question("2024-02-29", "2024-03-01", compare=ComparedRange.YEAR)
    assert compared_range(asked) == (at("2023-02-28"), at("2023-03-01"))


@pytest.mark.parametrize(
    ("start", "end", "zone", "offsets"),
    [
        ("2026-01-01", "2026-03-29", "UTC", [("2026-01-01T00:00", 0)]),
        (
            "2026-03-28T12:00",
            "2026-10-25T12:00",
            "Europe/Berlin",
            [("2026-03-28T12:00", 60), ("2026-03-29T01:00", 120), ("2026-10-25T01:00", 60)],
        ),
        (
            "2026-04-01T00:00:00.5",
            "2026-04-04T16:00",
            "Australia/Lord_Howe",
            [("2026-04-01T00:00:00.5", 660), ("2026-04-04T15:00", 630)],
        ),
    ],
)
def test_an_offset_begins_at_the_second_at_which_clocks_change(
    start: str, end: str, zone: str, offsets: list[tuple[str, int]]
) -> None:
    found = offsets_in(question(start, end, zone=zone))
    assert found == [(at(begin), timedelta(minutes=minutes)) for begin, minutes in offsets]
