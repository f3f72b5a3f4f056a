"""A feature: its name, type, meaning, and what it is computed of.

Belongs here: the declarations of single features. Which table they read, and when a value becomes
known, belongs to `history` and `feature_view`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = int | float | str | None
Held: TypeAlias = Mapping[str, Value]
"""The columns of one row of a history, as the online store holds them."""


class FeatureType(StrEnum):
    """The types of features, each with the type of ClickHouse that has it."""

    INTEGER = "integer"
    NUMBER = "number"

    @property
    def of_clickhouse(self) -> str:
        """The nullable type of ClickHouse."""
        return f"Nullable({'Int64' if self is FeatureType.INTEGER else 'Float64'})"


@dataclass(frozen=True)
class Sum:
    """The sum of a measure over the last days."""

    measure: str
    days: int

    @property
    def measures(self) -> tuple[tuple[str, int], ...]:
        """Measures and days that it is made of."""
        return ((self.measure, self.days),)


@dataclass(frozen=True)
class Mean:
    """A measure divided by another one, both over the last days; null if that one is 0."""

    total: str
    count: str
    days: int

    @property
    def measures(self) -> tuple[tuple[str, int], ...]:
        """Measures and days that it is made of."""
        return ((self.total, self.days), (self.count, self.days))


@dataclass(frozen=True)
class Since:
    """Whole days or minutes from the newest event to the time of the question.

    It is the one kind that changes while nothing happens, so a row holds the time of the event.
    """

    minutes: bool = False


@dataclass(frozen=True)
class Stated:
    """A column that the view's own SELECT computes."""


Source: TypeAlias = Sum | Mean | Since | Stated


@dataclass(frozen=True)
class Feature:
    """One feature; its name is unique within its entity."""

    name: str
    type: FeatureType
    description: str
    of: Source

    def sql(self, column: str, at: str) -> str:
        """SQL of the value at a time, of the column that a history has under the feature's name."""
        if not isinstance(self.of, Since):
            return column
        if self.of.minutes:
            return f"intDiv(dateDiff('microsecond', {column}, {at}), 60000000)"
        return f"dateDiff('day', {column}, toDateTime64({at}, 6, 'UTC'), 'UTC')"

    def value(self, held: Held, at: datetime) -> Value:
        """The same of a row of the online store."""
        found = held.get(self.name)
        if not isinstance(self.of, Since) or found is None:
            return found
        since = datetime.fromisoformat(str(found))
        if self.of.minutes:
            return (at - since) // timedelta(minutes=1)
        return (at.date() - since.date()).days
