"""A bot and a ring of authors in the tables of unusual behaviour, as dbt leaves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5

from tests.integration.warehouse.conftest import Row, WarehouseUnderTest

_DAYS = 6


def write_unusual_behaviour(warehouse: WarehouseUnderTest) -> None:
    """Fill the tables that the dashboard "Unusual behaviour" reads."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [today - timedelta(days=day, hours=-day) for day in range(1, _DAYS + 1)]
    _insert(warehouse, "unusual_sessions", [_session(n, at) for n, at in enumerate(begins)])
    _insert(warehouse, "coordinated_texts", [_burst(n, at) for n, at in enumerate(begins)])


def _insert(warehouse: WarehouseUnderTest, table: str, rows: list[Row]) -> None:
    columns = list(rows[0])
    values = [[row[name] for name in columns] for row in rows]
    warehouse.client.insert(f"features.{table}", values, columns)


def _session(number: int, at: datetime) -> Row:
    return {
        "event_date": at.date(),
        "event_time": at,
        "platform_key": _key("TikTok"),
        "user_key": _key("1"),
        "kind": ("too_fast", "regular", "burst")[number % 3],
        "minutes": 12.5,
        "events": 40 + number,
        "items": 12,
        "busiest_minute": 30,
        "typical_minute": 1,
        "robust_deviations": 19.6,
        "median_gap_seconds": 0.3,
    }


def _burst(number: int, at: datetime) -> Row:
    return {
        "event_date": at.date(),
        "event_time": at,
        "ended_at": at + timedelta(seconds=35),
        "platform_key": _key("YouTube"),
        "text_key": _key("offer"),
        "link": "prizes.example/win" if number % 2 else "",
        "example": "Buy these shoes today, best price! They are all the same and cost nothing.",
        "authors": 8 + number,
        "texts": 9 + number,
    }


def _key(label: str) -> bytes:
    return md5(label.encode(), usedforsecurity=False).digest()
