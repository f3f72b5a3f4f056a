"""What the online store knows of one id now: all features, on each platform.

Belongs here: putting the rows of the views together, for the API and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from social_assets.features.feature import Value
from social_assets.features.feature_view import Entity
from social_assets.features.online.rows import OnlineStore
from social_assets.features.registry import views_of


@dataclass(frozen=True)
class PlatformFeatures:
    """All features of an entity on one platform; null: unknown or expired."""

    platform: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class FeaturesNow:
    """The features of an id on all platforms that know it."""

    platforms: tuple[PlatformFeatures, ...]
    as_of: datetime | None
    """The oldest watermark of the views; None: a view was never materialized."""


def features_now(store: OnlineStore, entity: Entity, id_: str, now: datetime) -> FeaturesNow:
    """The features at a time. Raises OnlineStoreError."""
    rows, views = store.read(entity, id_), views_of(entity)
    known = store.taken_until()
    alive = [
        each for held in rows.values() for each in held if each.known_at <= now < each.expires_at
    ]
    found = []
    for platform in sorted({each.platform for each in alive}):
        values: dict[str, Value] = {}
        for view in views:
            row = next((r for r in rows.get(view.name, []) if r.platform == platform), None)
            values |= dict.fromkeys(view.names) if row is None else row.features(view, now)
        found.append(PlatformFeatures(platform, values))
    times = [known[view.name] for view in views if view.name in known]
    return FeaturesNow(tuple(found), min(times) if len(times) == len(views) else None)
