"""Events of users in a deployed warehouse, and the sessions that it makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from hashlib import md5

import pytest

from tests.integration.warehouse.conftest import Row, WarehouseUnderTest
from tests.integration.warehouse.features.plain_sessions import Event, Session

TABLES = (
    "sessions",
    "sessions_daily",
    "user_days",
    "user_posts",
    "recommendation_exposures",
    "recommendation_positions_daily",
    "unusual_sessions",
    "coordinated_texts",
)
VIEWS = ("user_events", "user_streaks", "user_tag_affinity")
USERS = ("anna", "ben", "bot", "exact", "longer")


@dataclass(frozen=True)
class FeaturesUnderTest:
    """The operations of the tests on the layer."""

    warehouse: WarehouseUnderTest

    def events(self, *events: Event, kind: str = "like") -> None:
        """Load events of users of one platform."""
        known = self.warehouse.value("SELECT count() FROM cleaned.engagement_events")
        rows = [reaction(f"e{known + n}", event, kind) for n, event in enumerate(events)]
        self.warehouse.stream("engagement_events", *rows)

    def build(self, first: date, last: date | None = None) -> None:
        """Build days as a run of the assets does."""
        self.warehouse.backfill(first, last or first, *TABLES, *VIEWS)

    def sessions(self, table: str = "features.sessions") -> list[Session]:
        """All sessions, of users in USERS."""
        rows = self.warehouse.client.query(
            "SELECT event_date, lower(hex(user_key)), event_time, ended_at, events,\n"
            f"  events_after_midnight, items FROM {table}"
        ).result_rows
        return sorted(
            Session(
                day,
                _NAMES[user],
                begins.replace(tzinfo=UTC),
                ends.replace(tzinfo=UTC),
                events,
                after_midnight,
                items,
            )
            for day, user, begins, ends, events, after_midnight, items in rows
        )


def key(value: str) -> bytes:
    """The surrogate key of a value."""
    return md5(value.encode(), usedforsecurity=False).digest()


def reaction(event_id: str, event: Event, kind: str = "like") -> Row:
    """The cleaned row of an event."""
    return {
        "event_id": event_id,
        "event_time": event.at,
        "platform": "X",
        "account_id": "a1",
        "post_id": event.item,
        "user_id": event.user,
        "metric_type": kind,
        "value": 1.0,
    }


def days_of(events: Iterable[Event]) -> tuple[date, date]:
    """The first and last day of events."""
    days = [event.at.date() for event in events]
    return min(days), max(days)


def day_range(first: date, last: date) -> list[date]:
    """Days, both ends included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


_NAMES = {key(user).hex(): user for user in USERS}


@pytest.fixture
def features(warehouse: WarehouseUnderTest) -> FeaturesUnderTest:
    """The layer without rows."""
    return FeaturesUnderTest(warehouse)
