"""Entities and feature views, as modules of `declared` declare them in VIEWS.

Belongs here: what a view names, and what follows from it. How a history is computed belongs to
`history`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from social_assets.features.feature import Feature
from social_assets.features.history import History

EntityName = Literal["user", "account", "post"]


@dataclass(frozen=True)
class Entity:
    """Whom features tell of: known by a platform and the platform's id, as text."""

    name: EntityName
    dimension: str
    id_column: str
    key: str
    """The column of facts that has the key of the id."""


USER = Entity("user", "star.dim_user", "user_id", "user_key")
ACCOUNT = Entity("account", "star.dim_account", "account_id", "account_key")
POST = Entity("post", "star.dim_post", "post_id", "post_key")
ENTITIES = (USER, ACCOUNT, POST)


@dataclass(frozen=True)
class WatchedTable:
    """A table with days whose new rows change features, and SQL of the keys in it."""

    table: str
    platform_key: str = "platform_key"
    key: str | None = None
    """SQL of the entity's key; None: the column has its name."""


@dataclass(frozen=True)
class FeatureView:
    """Features of an entity that come from the same rows, and expire together."""

    name: str
    description: str
    entity: Entity
    watched: tuple[WatchedTable, ...]
    event_time: str
    """The column of these tables with the time at which it happened."""
    time_to_live: timedelta
    """How long after the newest event (of a day: its end) the values are used."""
    history: History
    features: tuple[Feature, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its features."""
        return tuple(each.name for each in self.features)

    def rows(self, only: str) -> str:
        """The SELECT of the history of the entities and days that `only` keeps."""
        return self.history.select(self.entity.key, self.features, self.time_to_live, only)

    def first_day(self, at: date) -> date:
        """The first day on whose rows a value of a day depends."""
        return at - self.history.days_read(self.time_to_live, self.features)
