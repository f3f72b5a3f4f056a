"""Recommended items that were shown over some days: the higher in the list, the more clicks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.integration.warehouse.conftest import Row, WarehouseUnderTest

_DAYS, _LISTS_A_DAY, _ITEMS = 10, 20, 12
_MODELS = ("als", "graph_filter")


def write_recommendations(warehouse: WarehouseUnderTest) -> None:
    """Fill the streams and the features that the dashboard Recommendations reads."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    shown: list[Row] = []
    given: list[Row] = []
    for day in range(1, _DAYS + 1):
        for number in range(_LISTS_A_DAY):
            at = today - timedelta(days=day) + timedelta(hours=number)
            for position in range(1, _ITEMS + 1):
                shown.append(_exposure(day, number, position, at))
                if (number + day) % (position + 1) == 0:
                    given.extend(_feedback(shown[-1], at + timedelta(minutes=1)))
    warehouse.stream("recommendation_exposures", *shown)
    warehouse.stream("recommendation_feedback", *given)
    begin = today.date() - timedelta(days=_DAYS)
    tables = ("recommendation_exposures", "recommendation_positions_daily")
    warehouse.backfill(begin, today.date(), *tables)


def _exposure(day: int, number: int, position: int, at: datetime) -> Row:
    return {
        "exposure_id": f"{day}/{number}",
        "position": position,
        "shown_at": at,
        "event_time": at,
        "platform": "Instagram",
        "user_id": f"user {number}",
        "item_id": f"post {position}",
        "model": _MODELS[number % 2],
        "placement": "home_feed",
    }


def _feedback(shown: Row, at: datetime) -> list[Row]:
    same = {name: shown[name] for name in ("platform", "user_id", "item_id")}
    given = f"{shown['exposure_id']}/{shown['position']}"
    return [
        {**same, "feedback_id": f"{given}/c", "happened_at": at, "event_time": at, "kind": "click"},
        {
            **same,
            "feedback_id": f"{given}/d",
            "happened_at": at,
            "event_time": at,
            "kind": "dwell",
            "dwell_seconds": 20.0,
        },
    ]
