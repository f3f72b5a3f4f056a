"""Recommended items that are shown to users, and what the users do with them, as cleaned rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.integration.warehouse.conftest import Row, WarehouseUnderTest


@dataclass(frozen=True)
class Shown:
    """A list of items that is shown to a user."""

    id: str
    at: datetime
    items: tuple[str, ...]
    user: str = "anna"

    def rows(self) -> list[Row]:
        return [
            {
                "exposure_id": self.id,
                "position": position,
                "shown_at": self.at,
                "event_time": self.at,
                "platform": "X",
                "user_id": self.user,
                "item_id": item,
                "model": "als",
            }
            for position, item in enumerate(self.items, 1)
        ]


@dataclass(frozen=True)
class Given:
    """Feedback of a user to an item."""

    id: str
    at: datetime
    item: str
    kind: str = "click"
    user: str = "anna"
    seconds: float | None = None

    def row(self) -> Row:
        return {
            "feedback_id": self.id,
            "happened_at": self.at,
            "event_time": self.at,
            "platform": "X",
            "user_id": self.user,
            "item_id": self.item,
            "kind": self.kind,
            "dwell_seconds": self.seconds,
        }


def load(warehouse: WarehouseUnderTest, shown: list[Shown], given: list[Given]) -> None:
    if shown:
        rows = [row for each in shown for row in each.rows()]
        warehouse.stream("recommendation_exposures", *rows)
    if given:
        warehouse.stream("recommendation_feedback", *(each.row() for each in given))
