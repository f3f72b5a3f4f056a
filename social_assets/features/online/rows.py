"""Rows of the online store, what an answer takes of them, and how far a view was taken.

Belongs here: the forms that stores, materialization and readers share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Protocol

from social_assets.features.feature import Held, Value
from social_assets.features.feature_view import Entity, FeatureView


@dataclass(frozen=True)
class OnlineRow:
    """The features of one view of one user, account or post on a platform."""

    platform: str
    id: str
    known_at: datetime
    expires_at: datetime
    values: Held

    def content(self) -> str:
        """Everything but platform and id, as text: equal for equal rows."""
        held = [self.known_at.isoformat(), self.expires_at.isoformat(), dict(self.values)]
        return json.dumps(held, separators=(",", ":"))

    @classmethod
    def of(cls, platform: str, id_: str, content: str) -> OnlineRow:
        """The row of its parts."""
        known_at, expires_at, values = json.loads(content)
        return cls(
            platform,
            id_,
            datetime.fromisoformat(known_at),
            datetime.fromisoformat(expires_at),
            values,
        )

    def features(self, view: FeatureView, at: datetime) -> dict[str, Value]:
        """The values at a time; null if they have expired."""
        if not self.known_at <= at < self.expires_at:
            return dict.fromkeys(view.names)
        return {each.name: each.value(self.values, at) for each in view.features}


@dataclass(frozen=True)
class TakenDay:
    """What was taken of one day of a table: its first and last block, and the last mutation."""

    first_block: int
    last_block: int
    mutation: int


@dataclass(frozen=True)
class Watermark:
    """How far a view was taken: everything that the warehouse had at `as_of`."""

    as_of: datetime
    definition: str
    """A hash of the view's SELECT: another one is materialized from the beginning."""
    tables: Mapping[str, Mapping[str, TakenDay]] = field(default_factory=dict)
    """Of each table (by its UUID) the days."""

    def as_json(self) -> str:
        """The watermark as text."""
        return json.dumps(
            [
                self.as_of.isoformat(),
                self.definition,
                {
                    table: {day: list(asdict(state).values()) for day, state in days.items()}
                    for table, days in self.tables.items()
                },
            ],
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Watermark:
        """The watermark of a text."""
        as_of, definition, tables = json.loads(text)
        return cls(
            datetime.fromisoformat(as_of),
            definition,
            {
                table: {day: TakenDay(*state) for day, state in days.items()}
                for table, days in tables.items()
            },
        )


class OnlineStore(Protocol):
    """What a store does. Each write is repeated without harm.

    Raises OnlineStoreError from all methods if the store does not answer.
    """

    def read(self, entity: Entity, id_: str) -> dict[str, list[OnlineRow]]:
        """The rows of an id on all platforms, by the name of their view."""
        ...

    def watermark(self, view: FeatureView) -> Watermark | None:
        """How far the view was taken; None if never."""
        ...

    def taken_until(self) -> Mapping[str, datetime]:
        """The times of the watermarks, by the name of the view."""
        ...

    def members(self, view: FeatureView, known_since: datetime | None) -> list[tuple[str, str]]:
        """Platform and id of rows that depend on days since a time; None: of all rows."""
        ...

    def rows(self, view: FeatureView) -> list[OnlineRow]:
        """All rows of a view."""
        ...

    def write(
        self,
        view: FeatureView,
        changed: Sequence[OnlineRow],
        gone: Sequence[tuple[str, str]],
        watermark: Watermark,
    ) -> int:
        """Write rows, delete those that are gone, and set the watermark, which comes last.

        Returns how many rows differed from those that were there.
        """
        ...

    def delete_expired(self, view: FeatureView, before: datetime) -> int:
        """Delete the rows that had expired by a time; returns how many."""
        ...

    def forget(self, entity: Entity, named: Iterable[tuple[str | None, str]]) -> int:
        """Delete all rows of platforms and ids; None: on all platforms. Returns how many."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
