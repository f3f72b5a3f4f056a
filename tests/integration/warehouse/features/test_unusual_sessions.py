"""`features.unusual_sessions`: planted bots are found among people, and nobody else is."""

from __future__ import annotations

import random
from datetime import date, timedelta

from tests.integration.warehouse.conftest import at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest, key
from tests.integration.warehouse.features.plain_sessions import Event

DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)
NOON = at("2026-01-10 12:00")
BOTS = {"fast": "too_fast", "timer": "regular", "burst": "burst"}


def people(number: int, seed: int) -> list[Event]:
    """Users who react to something now and then, with pauses as people have them."""
    draw = random.Random(seed)  # noqa: S311 - seeded events
    found = []
    for n in range(number):
        moment = NOON + timedelta(minutes=draw.uniform(0, 300))
        for _ in range(draw.randint(1, 40)):
            found.append(Event(f"person{n}", moment, f"p{draw.randint(0, 30)}"))
            moment += timedelta(seconds=draw.lognormvariate(3.4, 1.0))
    return found


def fast(user: str = "fast") -> list[Event]:
    """Reacts to another post each 300 ms."""
    return [Event(user, NOON + timedelta(milliseconds=300 * n), f"p{n}") for n in range(40)]


def timer(user: str = "timer") -> list[Event]:
    """Reacts every 30 seconds, give or take one."""
    draw = random.Random(1)  # noqa: S311 - seeded events
    return [
        Event(user, NOON + timedelta(seconds=30 * n + draw.uniform(-1, 1)), f"p{n % 5}")
        for n in range(60)
    ]


def burst(user: str = "burst") -> list[Event]:
    """Is as slow as people, and then reacts 30 times to one post within half a minute."""
    calm = [Event(user, NOON + timedelta(seconds=40 * n + n % 7), f"p{n}") for n in range(50)]
    begin = calm[-1].at + timedelta(seconds=60)
    return [*calm, *(Event(user, begin + timedelta(seconds=n), "p") for n in range(30))]


def found(features: FeaturesUnderTest) -> dict[bytes, str]:
    """Kind of the listed sessions by user."""
    rows = features.warehouse.client.query(
        "SELECT hex(user_key), kind FROM features.unusual_sessions ORDER BY event_time"
    ).result_rows
    return {bytes.fromhex(user): kind for user, kind in rows}


def test_all_planted_bots_are_found_among_people_and_nobody_else_is(
    features: FeaturesUnderTest,
) -> None:
    features.events(*people(300, seed=7), *fast(), *timer(), *burst())
    features.build(DAY)
    assert found(features) == {key(user): kind for user, kind in BOTS.items()}


def test_the_evidence_of_a_session_is_in_its_row(features: FeaturesUnderTest) -> None:
    features.events(*fast(), *people(50, seed=3))
    features.build(DAY)
    rows = features.warehouse.client.query(
        "SELECT event_time, events, items, busiest_minute, typical_minute, median_gap_seconds,\n"
        "  is_too_fast, is_burst, is_regular FROM features.unusual_sessions"
    ).result_rows
    begins, *evidence = rows[0]
    assert len(rows) == 1
    assert begins == NOON.replace(tzinfo=None)
    assert evidence == [40, 40, 40, 1, 0.3, 1, 1, 0]


def test_a_session_across_midnight_is_measured_whole_whatever_the_days_of_the_run(
    features: FeaturesUnderTest,
) -> None:
    late = at("2026-01-10 23:55")
    across = [Event("timer", late + timedelta(seconds=30 * n), f"p{n % 5}") for n in range(40)]
    features.events(*across, *people(50, seed=5))
    kept = []
    for first, last in ((DAY, NEXT), (NEXT, NEXT), (DAY, DAY)):
        features.build(first, last)
        kept.append(
            features.warehouse.client.query(
                "SELECT event_date, events, kind, gap_variation FROM features.unusual_sessions"
            ).result_rows
        )
    assert kept[0] == kept[1] == kept[2] == [(DAY, 40, "regular", 0.0)]


def test_a_lonely_user_without_others_to_compare_with_is_no_burst(
    features: FeaturesUnderTest,
) -> None:
    # A platform on which each minute of the only user has as many events is typical there.
    features.events(
        *(Event("only", NOON + timedelta(seconds=3 * n + n % 2), f"p{n % 4}") for n in range(200))
    )
    features.build(DAY)
    assert found(features) == {}


def test_a_day_without_events_and_events_at_one_time_are_no_error(
    features: FeaturesUnderTest,
) -> None:
    features.build(DAY)
    assert found(features) == {}
    features.events(*(Event("frozen", NOON, f"p{n}") for n in range(12)))
    features.build(DAY)
    assert found(features) == {key("frozen"): "too_fast"}


def test_nothing_is_left_of_a_bot_whose_records_are_erased(features: FeaturesUnderTest) -> None:
    features.events(*fast())
    features.build(DAY)
    assert found(features)
    for table in ("cleaned.engagement_events", "star.fact_engagement"):
        features.warehouse.client.command(f"TRUNCATE TABLE {table}")
    features.build(DAY)
    assert found(features) == {}
