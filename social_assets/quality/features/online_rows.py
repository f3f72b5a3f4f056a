"""Whether the online store has what the warehouse has.

Belongs here: comparing both as of the store's watermark. Who has changed since the watermark is
left out: the next pass takes them.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from social_assets.features.feature_view import FeatureView
from social_assets.features.online.changed import changes
from social_assets.features.online.materialize import (
    count_offline,
    definition_of,
    offline_rows,
    online_lock,
    rows_of_members,
)
from social_assets.features.online.rows import OnlineRow, OnlineStore
from social_assets.features.registry import views

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_COMPARED = 2_000


@dataclass(frozen=True)
class OnlineComparison:
    """What was compared of a view, and what differs."""

    view: str
    as_of: datetime | None
    """None: the view was never materialized."""
    compared: int = 0
    differing: tuple[str, ...] = ()
    """The features that are not equal; no id, because results are kept."""
    missing: int = 0
    """Rows that only one of the two has."""

    @property
    def is_right(self) -> bool:
        """Whether both are equal."""
        return not (self.differing or self.missing)


def compare_online(client: Client, store: OnlineStore, locks: Path) -> list[OnlineComparison]:
    """Compare a sample of the rows of each view, and the number of all."""
    with online_lock(locks):
        return [_compared(client, store, view) for view in views()]


def _compared(client: Client, store: OnlineStore, view: FeatureView) -> OnlineComparison:
    taken = store.watermark(view)
    if taken is None:
        return OnlineComparison(view.name, None)
    newer = changes(client, view, taken, taken.as_of, definition_of(view))
    if newer.is_everything:
        return OnlineComparison(view.name, taken.as_of)
    online = [each for each in store.rows(view) if each.expires_at > taken.as_of]
    sample = random.sample(online, min(MOST_COMPARED, len(online)))
    ours = {(each.platform, each.id): each for each in sample}
    theirs = {
        (each.platform, each.id): each
        for each in rows_of_members(client, view, taken.as_of, list(ours))
    }
    left_out = _changed_since(client, store, view, taken.as_of)
    compared = ours.keys() - left_out
    wrong = [
        name
        for key in compared
        if key in theirs
        for name in differing_features(view, ours[key], theirs[key])
    ]
    missing = len([key for key in compared if key not in theirs])
    if not left_out:
        missing += abs(count_offline(client, view, taken.as_of) - len(online))
    return OnlineComparison(
        view.name, taken.as_of, len(compared), tuple(dict.fromkeys(wrong)), missing
    )


def _changed_since(
    client: Client, store: OnlineStore, view: FeatureView, as_of: datetime
) -> set[tuple[str, str]]:
    """Who has changed by now, so also while the rows were read."""
    newer = changes(client, view, store.watermark(view), as_of, definition_of(view))
    found = {
        (each.platform, each.id)
        for each in (offline_rows(client, view, as_of, newer.selects) if newer.selects else [])
    }
    if newer.replaced_since is not None:
        found |= {(each[0], each[1]) for each in store.members(view, newer.replaced_since)}
    return found


def differing_features(view: FeatureView, online: OnlineRow, offline: OnlineRow) -> list[str]:
    """The features of two rows that are not equal."""
    found = [
        name for name in view.names if not _equal(online.values.get(name), offline.values.get(name))
    ]
    if (online.known_at, online.expires_at) != (offline.known_at, offline.expires_at):
        found.append("known_at")
    return found


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other
