"""The SELECT of sessions equals plain Python on random events, each day read alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.quality.features.sums import DAYS_AFTER, DAYS_BEFORE
from tests.integration.warehouse.features.conftest import (
    USERS,
    FeaturesUnderTest,
    day_range,
    days_of,
    key,
)
from tests.integration.warehouse.features.plain_sessions import Event, Session, sessions

FACT = "star.fact_engagement"
BEGIN = datetime(2026, 1, 10, tzinfo=UTC)
Find = Callable[[list[Event]], list[Session]]

# Minutes between events: ties, the pause to the microsecond, midnights, whole days.
_GAPS = st.one_of(
    st.sampled_from([0, 1, 15, 29, 30, 31, 60, 24 * 60]).map(lambda n: timedelta(minutes=n)),
    st.sampled_from([-1, 0, 1]).map(lambda n: timedelta(minutes=30, microseconds=n)),
    st.integers(0, 45 * 60).map(lambda n: timedelta(seconds=n)),
)
_RUNS = st.tuples(st.just(timedelta(minutes=30)), st.integers(1, 110))
"""So many events, each half an hour after the one before: up to 55 hours without a pause."""


@st.composite
def events_of_users(draw: st.DrawFn) -> list[Event]:
    """Events of a few users over some days."""
    found = []
    for user in draw(st.lists(st.sampled_from(USERS), min_size=1, max_size=3, unique=True)):
        at = BEGIN + timedelta(minutes=draw(st.sampled_from([0, 90, 1410, 1439])))
        steps = draw(st.lists(st.one_of(st.tuples(_GAPS, st.just(1)), _RUNS), max_size=12))
        for gap, times in steps:
            for _ in range(times):
                at += gap
                found.append(Event(user, at, draw(st.sampled_from(["p1", "p2"]))))
    return draw(st.permutations(found)) if len(found) < 30 else found


@pytest.fixture
def find(features: FeaturesUnderTest) -> Find:
    """Find sessions by the model's SELECT, one day after another."""
    client = features.warehouse.client
    manifest = features.warehouse.project.manifest
    select = manifest["nodes"]["model.social_assets.sessions"]["compiled_code"]

    def of_day(day: date) -> list[Session]:
        read = (
            f"event_date between toDate('{day}') - {DAYS_BEFORE} and toDate('{day}') + {DAYS_AFTER}"
        )
        of_days = select.replace("where false", f"where {read}")
        assert of_days != select
        return features.sessions(f"(SELECT * FROM ({of_days}) WHERE event_date = '{day}')")

    def found(events: list[Event]) -> list[Session]:
        client.command(f"TRUNCATE TABLE {FACT}")
        if not events:
            return of_day(BEGIN.date())
        client.insert_arrow(FACT, _facts(events), settings={"insert_deduplicate": 0})
        first, last = days_of(events)
        days = day_range(first - timedelta(days=1), last + timedelta(days=1))
        return sorted(session for day in days for session in of_day(day))

    return found


def _facts(events: list[Event]) -> pa.Table:
    keys = pa.binary(16)
    constant = dict.fromkeys(("account_key", "platform_key", "time_key", "date_key"), key("X"))
    return pa.table(
        {
            "event_date": pa.array([each.at.date() for each in events], pa.date32()),
            "event_time": pa.array([each.at for each in events], pa.timestamp("us", "UTC")),
            "event_id": [f"e{number}" for number, _ in enumerate(events)],
            "user_key": pa.array([key(each.user) for each in events], keys),
            "post_key": pa.array([key(each.item) for each in events], keys),
            "metric_type": ["like"] * len(events),
            "value": [1.0] * len(events),
            **{
                name: pa.repeat(pa.scalar(each, keys), len(events))
                for name, each in constant.items()
            },
        }
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=events_of_users())
def test_sessions_of_days_read_alone_are_those_of_plain_python(
    find: Find, events: list[Event]
) -> None:
    assert find(events) == sessions(events)


def test_the_checks_know_the_days_that_the_models_declare(features: FeaturesUnderTest) -> None:
    nodes = features.warehouse.project.manifest["nodes"]
    for name in ("sessions", "sessions_daily"):
        config = nodes[f"model.social_assets.{name}"]["config"]
        assert (config["days_before"], config["days_after"]) == (DAYS_BEFORE, DAYS_AFTER)
