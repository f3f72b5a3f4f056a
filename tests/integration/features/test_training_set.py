"""A row has the features that were known at its time: of days that have ended, not expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from social_assets.features.errors import FeatureError
from social_assets.features.feature_view import USER
from social_assets.features.offline.point_in_time import training_set
from tests.integration.warehouse.conftest import at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest
from tests.integration.warehouse.features.plain_sessions import Event


def asked(
    features: FeaturesUnderTest, names: Sequence[str], *times: datetime, user: str = "anna"
) -> list[dict[str, Any]]:
    """The features of a user at some times."""
    rows = pa.table(
        {
            "platform": ["X"] * len(times),
            "id": [user] * len(times),
            "at": pa.array(times, pa.timestamp("us", "UTC")),
            "bought": [1] * len(times),
        }
    )
    found = training_set(features.warehouse.client, USER, rows, names, label="bought")
    assert found["bought"].to_pylist() == [1] * len(times)
    return found.to_pylist()


def test_a_day_counts_from_its_end_and_leaves_the_window_after_seven_days(
    features: FeaturesUnderTest,
) -> None:
    features.events(
        Event("anna", at("2026-01-10 09:00"), "p"), Event("anna", at("2026-01-10 21:00"), "q")
    )
    times = {
        "2026-01-10 23:59": None,
        "2026-01-11 00:00": 2,
        "2026-01-14 12:00": 2,
        "2026-01-17 23:59": 2,
        "2026-01-18 00:00": 0,
        "2026-04-10 23:59": 0,
        "2026-04-11 00:00": None,
    }
    found = asked(features, ["events_7d"], *map(at, times))
    assert [row["events_7d"] for row in found] == list(times.values())
    known = [row["user_activity__known_at"] for row in found]
    assert all(each is None or each <= row["at"] for each, row in zip(known, found, strict=True))


def test_an_event_is_known_right_after_it_and_not_at_its_own_time(
    features: FeaturesUnderTest,
) -> None:
    first, second = at("2026-01-10 09:00"), at("2026-01-10 21:00")
    features.events(Event("anna", first, "p"), Event("anna", second, "q"))
    moment = timedelta(microseconds=1)
    times = {
        first: (None, None),
        first + moment: (1, 0),
        second: (1, 720),
        second + moment: (2, 0),
        second + timedelta(minutes=10, seconds=59): (2, 10),
        second + timedelta(days=1): (None, None),
    }
    found = asked(features, ["events_of_day", "minutes_since_event"], *times)
    given = [(row["events_of_day"], row["minutes_since_event"]) for row in found]
    assert given == list(times.values())


def test_sessions_are_known_when_no_event_can_change_them(features: FeaturesUnderTest) -> None:
    features.events(
        Event("anna", at("2026-01-10 23:50"), "p"), Event("anna", at("2026-01-11 00:10"), "q")
    )
    features.build(at("2026-01-10 00:00").date(), at("2026-01-11 00:00").date())
    names = ["sessions_7d", "session_minutes_28d", "events_7d"]
    found = asked(features, names, at("2026-01-11 12:00"), at("2026-01-12 00:00"))
    assert [[row[name] for name in names] for row in found] == [[None, None, 1], [1, 20.0, 2]]


def test_somebody_unknown_has_nulls_and_other_users_are_not_mixed(
    features: FeaturesUnderTest,
) -> None:
    features.events(
        Event("anna", at("2026-01-10 09:00"), "p"), Event("ben", at("2026-01-10 09:00"), "p")
    )
    [row] = asked(features, ["events_28d", "interest_7d"], at("2026-01-12 00:00"), user="nobody")
    assert (row["events_28d"], row["interest_7d"]) == (None, None)
    [row] = asked(features, ["events_28d"], at("2026-01-12 00:00"), user="ben")
    assert row["events_28d"] == 1


def test_no_rows_give_no_rows(features: FeaturesUnderTest) -> None:
    assert asked(features, ["events_7d"]) == []


@pytest.mark.parametrize(
    ("names", "says"),
    [(["event_7d"], "did you mean events_7d"), (["bought"], "rename the label")],
)
def test_a_question_that_cannot_be_answered_says_what_to_correct(
    features: FeaturesUnderTest, names: list[str], says: str
) -> None:
    with pytest.raises(FeatureError, match=says):
        asked(features, names, at("2026-01-12 00:00"))
