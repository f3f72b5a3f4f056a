"""Affinity and streaks: a planted taste and planted days in a row are found."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from social_assets.contracts.engagement_events import HALF_LIFE, METRIC_WEIGHTS
from tests.integration.warehouse.conftest import Row, at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest, key, reaction
from tests.integration.warehouse.features.plain_sessions import Event

DAY = date(2026, 1, 10)
LIKE = METRIC_WEIGHTS["like"]


def post(name: str, *tags: str, day: str = "2026-01-01") -> Row:
    return {
        "post_id": name,
        "account_id": "a1",
        "event_time": at(f"{day} 12:00"),
        "platform": "X",
        "content": name,
        "tags": list(tags) or None,
        "media_type": "Text",
        "published_at": at(f"{day} 12:00"),
    }


def noon(days: int = 0) -> datetime:
    return at(f"{DAY} 12:00") + timedelta(days=days)


def affinity(features: FeaturesUnderTest, user: str, on: date) -> dict[str, float]:
    """The affinity of a user on a day, as docs/sessions.md asks for it."""
    return dict(
        features.warehouse.client.query(
            "SELECT tag, argMax(affinity, event_date)\n"
            "  * exp2(-dateDiff('day', max(event_date), {on:Date}) / {half_life:Float64})\n"
            "FROM features.user_tag_affinity\n"
            "WHERE user_key = unhex({user:String}) AND event_date <= {on:Date} GROUP BY tag",
            parameters={"on": on, "user": key(user).hex(), "half_life": HALF_LIFE.days},
        ).result_rows
    )


def streaks(features: FeaturesUnderTest, user: str) -> list[tuple[int, int, int]]:
    """Day, days in a row, and first day of a user, as days of January."""
    rows = features.warehouse.client.query(
        "SELECT event_date, days_in_a_row, streak_began_on FROM features.user_streaks\n"
        "WHERE user_key = unhex({user:String}) ORDER BY event_date",
        parameters={"user": key(user).hex()},
    ).result_rows
    return [(day.day, days, began.day) for day, days, began in rows]


def test_the_tags_that_a_user_likes_are_those_of_the_highest_affinity(
    features: FeaturesUnderTest,
) -> None:
    features.warehouse.stream(
        "posts", *(post(f"cooking{n}", "cooking", "home") for n in range(9)), post("chess", "chess")
    )
    features.events(
        *(Event("anna", noon(n % 3), f"cooking{n}") for n in range(9)),
        Event("anna", noon(), "chess"),
        Event("ben", noon(), "chess"),
    )
    features.build(DAY, DAY + timedelta(days=2))
    found = affinity(features, "anna", DAY + timedelta(days=2))
    assert sorted(found, key=found.__getitem__)[0] == "chess"
    assert found["cooking"] == found["home"] > 5 * found["chess"]
    assert set(affinity(features, "ben", DAY)) == {"chess"}


def test_interest_halves_with_each_half_life(features: FeaturesUnderTest) -> None:
    features.warehouse.stream("posts", post("p", "cooking"))
    later = DAY + HALF_LIFE
    features.events(Event("anna", noon(), "p"), Event("anna", noon(HALF_LIFE.days), "p"))
    features.build(DAY)
    features.build(later)
    assert affinity(features, "anna", DAY) == {"cooking": LIKE}
    assert affinity(features, "anna", later)["cooking"] == pytest.approx(LIKE * 1.5)
    assert affinity(features, "anna", later + HALF_LIFE)["cooking"] == pytest.approx(LIKE * 0.75)


def test_a_late_event_and_late_tags_change_the_affinity_of_all_later_days(
    features: FeaturesUnderTest,
) -> None:
    features.events(Event("anna", noon(14), "p"))
    features.build(DAY + timedelta(days=14))
    assert affinity(features, "anna", DAY + timedelta(days=14)) == {}
    features.warehouse.stream("posts", post("p", "cooking", "cooking", day="2026-01-30"))
    features.events(Event("anna", noon(), "p"))
    features.build(DAY)
    found = affinity(features, "anna", DAY + timedelta(days=14))
    assert found["cooking"] == pytest.approx(LIKE * 1.5)


def test_what_tells_no_interest_gives_none(features: FeaturesUnderTest) -> None:
    features.warehouse.stream("posts", post("p", "cooking"), post("untagged"))
    features.events(Event("anna", noon(), "p"), kind="impression")
    features.events(Event("anna", noon(), "untagged"), Event("Unknown", noon(), "p"))
    features.build(DAY)
    assert affinity(features, "anna", DAY) == {}
    assert features.warehouse.value("SELECT count() FROM features.user_tag_affinity") == 0


def test_days_in_a_row_end_with_a_day_without_events(features: FeaturesUnderTest) -> None:
    days = (10, 11, 12, 14, 15, 20)
    events = [Event("anna", noon(day - 10), "p") for day in days]
    features.events(*events, Event("ben", noon(3), "p"), Event("anna", noon(1), "q"))
    features.build(DAY, DAY + timedelta(days=10))
    assert streaks(features, "anna") == [
        (10, 1, 10),
        (11, 2, 10),
        (12, 3, 10),
        (14, 1, 14),
        (15, 2, 14),
        (20, 1, 20),
    ]
    assert streaks(features, "ben") == [(13, 1, 13)]


def test_a_late_day_joins_two_streaks(features: FeaturesUnderTest) -> None:
    features.events(*(Event("anna", noon(n), "p") for n in (0, 2)))
    features.build(DAY, DAY + timedelta(days=2))
    assert streaks(features, "anna") == [(10, 1, 10), (12, 1, 12)]
    features.events(Event("anna", noon(1), "p"))
    features.build(DAY + timedelta(days=1))
    assert streaks(features, "anna") == [(10, 1, 10), (11, 2, 10), (12, 3, 10)]


def test_a_record_without_a_time_is_an_active_day(features: FeaturesUnderTest) -> None:
    row = reaction("e", Event("anna", at(f"{DAY} 00:00"), "p"))
    member = {name: row[name] for name in ("user_id", "event_time", "platform")}
    features.warehouse.stream("community_interactions", {**member, "community_id": "c", "age": 20})
    features.build(DAY)
    assert streaks(features, "anna") == [(10, 1, 10)]
