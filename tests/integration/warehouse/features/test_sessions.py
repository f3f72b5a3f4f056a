"""`features.sessions`: planted sessions are found, whatever the order in which days are built."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.integration.warehouse.conftest import Row, at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest, day_range, reaction
from tests.integration.warehouse.features.plain_sessions import Event, Session, sessions

DAY, NEXT, LAST = date(2026, 1, 10), date(2026, 1, 11), date(2026, 1, 14)
EVENING = (
    Event("anna", at("2026-01-10 23:40"), "p1"),
    Event("anna", at("2026-01-10 23:55"), "p2"),
    Event("anna", at("2026-01-11 00:20"), "p2"),
)
MORNING = Event("anna", at("2026-01-11 00:51"), "p3")


def all_day(user: str, first: str, hours: int) -> list[Event]:
    """Activity without a pause: an event every 25 minutes."""
    return [
        Event(user, at(first) + timedelta(minutes=25 * n), f"p{n % 7}")
        for n in range(hours * 60 // 25)
    ]


def test_a_session_that_goes_on_after_midnight_belongs_to_the_day_on_which_it_begins(
    features: FeaturesUnderTest,
) -> None:
    features.events(*EVENING, MORNING)
    features.build(DAY, NEXT)
    assert features.sessions() == [
        Session(DAY, "anna", EVENING[0].at, EVENING[2].at, 3, 1, 2),
        Session(NEXT, "anna", MORNING.at, MORNING.at, 1, 0, 1),
    ]


def test_a_pause_of_exactly_thirty_minutes_ends_no_session_and_a_longer_one_does(
    features: FeaturesUnderTest,
) -> None:
    begin = at("2026-01-10 09:00")
    features.events(
        Event("exact", begin, "p"),
        Event("exact", begin + timedelta(minutes=30), "p"),
        Event("longer", begin, "p"),
        Event("longer", begin + timedelta(minutes=30, microseconds=1), "p"),
    )
    features.build(DAY)
    assert [(each.user, each.events) for each in features.sessions()] == [
        ("exact", 2),
        ("longer", 1),
        ("longer", 1),
    ]


def test_activity_through_a_whole_day_ends_with_that_day(features: FeaturesUnderTest) -> None:
    features.events(*(events := all_day("bot", "2026-01-10 20:00", 80)))
    features.build(DAY, LAST)
    found = features.sessions()
    assert found == sessions(events)
    assert [each.day for each in found] == [date(2026, 1, day) for day in (10, 12, 13, 14)]
    assert max(each.ends - each.begins for each in found) < timedelta(days=2)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_days_may_be_built_in_any_order(
    features: FeaturesUnderTest, order: tuple[int, ...]
) -> None:
    events = [*EVENING, MORNING, *all_day("bot", "2026-01-10 20:00", 80)]
    features.events(*events)
    for number in order:
        features.build(day_range(DAY, LAST)[number])
    assert features.sessions() == sessions(events)


def test_a_late_event_rebuilds_the_sessions_of_the_days_around(features: FeaturesUnderTest) -> None:
    features.events(EVENING[0], EVENING[2], MORNING)
    features.build(DAY, NEXT)
    assert [(each.day, each.events) for each in features.sessions()] == [
        (DAY, 1),
        (NEXT, 1),
        (NEXT, 1),
    ]
    late = Event("anna", at("2026-01-11 00:00"), "p9")
    features.events(EVENING[1], late, Event("anna", at("2026-01-11 00:40"), "p9"))
    features.build(NEXT)
    assert [(each.day, each.events) for each in features.sessions()] == [(DAY, 6)]
    features.build(DAY)
    features.build(NEXT)
    assert [(each.day, each.events) for each in features.sessions()] == [(DAY, 6)]


def test_a_late_event_that_fills_a_day_changes_sessions_two_days_later(
    features: FeaturesUnderTest,
) -> None:
    events = all_day("bot", "2026-01-10 20:00", 60)
    missing = [each for each in events if each.at.hour != 23 or each.at.date() != DAY]
    features.events(*missing)
    features.build(DAY, LAST)
    assert features.sessions() == sessions(missing)
    features.events(*(each for each in events if each not in missing))
    features.build(DAY)
    assert features.sessions() == sessions(events)


def test_a_day_without_events_has_no_session_and_empties_what_was_there(
    features: FeaturesUnderTest,
) -> None:
    features.build(DAY)
    assert features.sessions() == []
    features.events(*EVENING)
    features.build(DAY)
    assert len(features.sessions()) == 1
    features.warehouse.empty("cleaned", "star")
    features.build(NEXT)
    assert features.sessions() == []


def test_audiences_and_records_without_a_time_are_in_no_session(
    features: FeaturesUnderTest,
) -> None:
    midnight = at("2026-01-10 00:00")
    video: Row = {"user_id": "anna", "event_time": midnight, "platform": "X", "age": 20}
    features.warehouse.stream("engagement_events", reaction("e", Event("Unknown", midnight, "p")))
    features.warehouse.stream("community_interactions", {**video, "community_id": "c"})
    features.warehouse.stream("video_interactions", {**video, "video_id": "v", "hour": None})
    features.build(DAY)
    assert features.sessions() == []


def test_reactions_videos_and_live_events_of_a_user_are_one_session(
    features: FeaturesUnderTest,
) -> None:
    features.events(Event("anna", at("2026-01-10 20:00"), "1"))
    row: Row = {"user_id": "anna", "platform": "X", "watch_time": "20:10:00", "hour": 20}
    first, second = at("2026-01-10 20:10"), at("2026-01-10 20:30")
    features.warehouse.stream("video_interactions", {**row, "video_id": "1", "event_time": first})
    features.warehouse.stream("live_streaming", {**row, "event_id": "1", "event_time": second})
    features.build(DAY)
    # The ids are equal, and the items are not.
    assert features.sessions() == [
        Session(DAY, "anna", at("2026-01-10 20:00"), second, 3, 0, 3),
    ]


def test_a_user_of_two_platforms_has_sessions_of_each(features: FeaturesUnderTest) -> None:
    features.events(Event("anna", at("2026-01-10 20:00"), "p"))
    other = reaction("other", Event("anna", at("2026-01-10 20:01"), "p"))
    features.warehouse.stream("engagement_events", {**other, "platform": "TikTok"})
    features.build(DAY)
    assert [each.events for each in features.sessions()] == [1, 1]


def test_sums_of_a_day_are_those_of_its_sessions(features: FeaturesUnderTest) -> None:
    features.events(*EVENING, MORNING, Event("ben", at("2026-01-10 12:00"), "p1"))
    features.build(DAY, NEXT)
    assert features.warehouse.client.query(
        "SELECT event_date, sum(sessions), sum(bounces), sum(minutes_sum), sum(events_sum),\n"
        "  sum(items_sum), uniqCombinedMerge(users)\n"
        "FROM features.sessions_daily GROUP BY event_date ORDER BY event_date"
    ).result_rows == [(DAY, 2, 1, 40.0, 4, 3, 2), (NEXT, 1, 1, 0.0, 1, 1, 1)]
