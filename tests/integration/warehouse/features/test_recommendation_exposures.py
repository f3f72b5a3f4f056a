"""Feedback belongs to the newest exposure before it, within the window, whenever it arrives."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest

from social_assets.contracts.recommended.recommendation_feedback import WINDOW
from social_assets.quality.features.sums import (
    EXPOSURES,
    FEATURE_SUMS,
    POSITIONS_DAILY,
    compare_sums,
)
from tests.integration.warehouse.conftest import WarehouseUnderTest, at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest
from tests.integration.warehouse.features.shown_items import Given, Shown, load

DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)
SUMS = [sums for sums in FEATURE_SUMS if sums.table in (EXPOSURES, POSITIONS_DAILY)]
Clicks = dict[tuple[str, int], int]


def feedback_of(warehouse: WarehouseUnderTest) -> Clicks:
    """The number of events of each exposure and position that has any."""
    found = warehouse.client.query(
        f"SELECT exposure_id, position, feedback_events FROM {EXPOSURES} WHERE feedback_events > 0"
    ).result_rows
    return {(name, position): events for name, position, events in found}


def expected(shown: list[Shown], given: list[Given]) -> Clicks:
    """The same in plain Python."""
    found: Clicks = {}
    for each in given:
        before = [
            (one.at, one.id, place)
            for one in shown
            for place, item in enumerate(one.items, 1)
            if (one.user, item) == (each.user, each.item) and one.at <= each.at < one.at + WINDOW
        ]
        if before:
            newest = max(when for when, _, _ in before)
            key = min((name, place) for when, name, place in before if when == newest)
            found[key] = found.get(key, 0) + 1
    return found


def assert_sums_hold(warehouse: WarehouseUnderTest) -> None:
    assert not [day for sums in SUMS for day in compare_sums(warehouse.client, sums, None)]


def test_feedback_belongs_to_the_newest_exposure_before_it(features: FeaturesUnderTest) -> None:
    shown = [
        Shown("old", at("2026-01-10 10:00"), ("p1", "p2")),
        Shown("new", at("2026-01-10 12:00"), ("p2", "p1")),
        Shown("later", at("2026-01-10 14:00"), ("p1",)),
        Shown("other", at("2026-01-10 12:30"), ("p1",), user="ben"),
    ]
    given = [
        Given("f1", at("2026-01-10 13:00"), "p1"),
        Given("f2", at("2026-01-10 11:59"), "p2", "skip"),
        Given("f3", at("2026-01-10 13:01"), "p1", "dwell", seconds=30.0),
        Given("f4", at("2026-01-10 09:59"), "p1"),
    ]
    load(features.warehouse, shown, given)
    features.build(DAY)
    assert feedback_of(features.warehouse) == {("new", 2): 2, ("old", 2): 1}
    row = features.warehouse.client.query(
        f"SELECT clicks, skips, dwells, dwell_seconds, is_clicked, place FROM {EXPOSURES}\n"
        "WHERE exposure_id = 'new' AND position = 2"
    ).first_row
    assert tuple(row) == (1, 0, 1, 30.0, 1, "02")
    assert_sums_hold(features.warehouse)


@pytest.mark.parametrize(
    ("after", "belongs"), [(WINDOW - timedelta(seconds=1), True), (WINDOW, False)]
)
def test_feedback_at_the_end_of_the_window_does_not_belong(
    features: FeaturesUnderTest, after: timedelta, belongs: bool
) -> None:
    begin = at("2026-01-10 10:00")
    load(features.warehouse, [Shown("s", begin, ("p",))], [Given("f", begin + after, "p")])
    features.build(DAY)
    assert bool(feedback_of(features.warehouse)) is belongs
    assert_sums_hold(features.warehouse)


def test_late_feedback_of_the_next_day_rebuilds_the_day_of_its_exposure(
    features: FeaturesUnderTest,
) -> None:
    load(features.warehouse, [Shown("s", at("2026-01-10 23:00"), ("p",))], [])
    features.build(DAY, NEXT)
    assert feedback_of(features.warehouse) == {}
    load(features.warehouse, [], [Given("f", at("2026-01-11 08:00"), "p")])
    differing = [
        day.day for sums in SUMS for day in compare_sums(features.warehouse.client, sums, None)
    ]
    assert differing == [NEXT]
    features.build(NEXT)
    assert feedback_of(features.warehouse) == {("s", 1): 1}
    daily = features.warehouse.value(f"SELECT sum(clicked) FROM {POSITIONS_DAILY}")
    assert daily == 1
    assert_sums_hold(features.warehouse)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_days_gives_what_plain_python_gives(
    features: FeaturesUnderTest, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    begin, minutes = at("2026-01-10 00:00"), 3 * 24 * 60
    items, users = ("p1", "p2", "p3"), ("anna", "ben")

    def moment() -> datetime:
        return begin + timedelta(minutes=30 * draw.randrange(minutes // 30))

    shown = [
        Shown(f"s{n:02}", moment(), tuple(draw.sample(items, 2)), draw.choice(users))
        for n in range(40)
    ]
    kinds = ("click", "skip", "dwell")
    given = [
        Given(f"f{n}", moment(), draw.choice(items), draw.choice(kinds), draw.choice(users))
        for n in range(120)
    ]
    load(features.warehouse, shown, given)
    days = [DAY + timedelta(days=n) for n in range(3)]
    for day in draw.sample(days, len(days)):
        features.build(day)
    assert feedback_of(features.warehouse) == expected(shown, given)
    assert_sums_hold(features.warehouse)
    for day in days:
        assert not [
            d for sums in SUMS for d in compare_sums(features.warehouse.client, sums, [day])
        ]
