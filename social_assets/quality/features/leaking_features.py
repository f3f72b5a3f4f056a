"""Features of the training set that are newer than their label, or have more than the facts.

Belongs here: both counts. Sums are computed anew without ASOF JOIN and without histories: each row
is joined with all days of its entity that had ended by its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.features.feature import Sum
from social_assets.features.feature_view import USER, FeatureView
from social_assets.features.history import KNOWN_AT, DailyWindows
from social_assets.features.offline.training_table import TRAINING_SET
from social_assets.features.registry import views_of

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_COMPARED = 20_000
"""Rows whose sums are computed anew, by a hash of the user."""


@dataclass(frozen=True)
class LeakingFeatures:
    """What was found of one view."""

    view: str
    newer: int
    """Rows whose features became known after the time of the label."""
    exceeding: int
    """Rows whose sums are more than those of the days before: late events make them only less."""

    @property
    def is_right(self) -> bool:
        """Whether no row is wrong."""
        return not (self.newer or self.exceeding)


def leaking_features(client: Client) -> list[LeakingFeatures]:
    """What is wrong with the rows of the table, by view; nothing without a table."""
    if not client.command(f"EXISTS TABLE {TRAINING_SET}"):
        return []
    return [
        LeakingFeatures(
            view.name,
            _count(client, f"SELECT count() FROM {TRAINING_SET} WHERE {_newer(view)}"),
            _exceeding(client, view),
        )
        for view in views_of(USER)
    ]


def _newer(view: FeatureView) -> str:
    return f"{view.name}__{KNOWN_AT} > at"


def _exceeding(client: Client, view: FeatureView) -> int:
    history = view.history
    if not isinstance(history, DailyWindows):
        return 0
    sums = [(each.name, each.of) for each in view.features if isinstance(each.of, Sum)]
    if not sums:
        return 0
    end = f"toDate(r.at) - {history.known_after_days - 1}"
    expected = ", ".join(
        f"toFloat64(sumIf(d.{of.measure}, d.event_date >= {end} - {of.days})) AS e_{name}"
        for name, of in sums
    )
    given = ", ".join(f"any(r.{name}) AS g_{name}" for name, _ in sums)
    wrong = " OR ".join(
        f"(g_{name} IS NOT NULL AND g_{name} > e_{name} + 1e-6 * greatest(1, e_{name}))"
        for name, _ in sums
    )
    key = USER.key
    rows = (
        f"SELECT *, toFixedString(MD5(toString(platform)), 16) AS platform_key,\n"
        f"  toFixedString(MD5(user_id), 16) AS {key}\n"
        f"FROM {TRAINING_SET} ORDER BY cityHash64(user_id), at LIMIT {_COMPARED}"
    )
    return _count(
        client,
        f"SELECT count() FROM (SELECT r.platform, r.user_id, r.at, {given}, {expected}\n"
        f"FROM ({rows}) AS r\n"
        f"INNER JOIN ({history.daily(key, '1')}) AS d\n"
        f"ON r.platform_key = d.platform_key AND r.{key} = d.{key}\n"
        f"WHERE d.event_date < {end}\n"
        f"GROUP BY r.platform, r.user_id, r.at) WHERE {wrong}",
    )


def _count(client: Client, query: str) -> int:
    return int(client.query(query).result_rows[0][0])
