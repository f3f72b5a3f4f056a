"""The assets of the feature store: planted leakage and planted differences fail their checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import dagster as dg
import pytest

from social_assets.defs.features.online import online_equals_offline, online_features
from social_assets.defs.features.training_set import (
    no_feature_is_newer_than_its_label,
    training_set,
)
from social_assets.features.history import DailyWindows
from social_assets.features.offline.training_table import (
    LABEL,
    TRAINING_SET,
    training_table,
)
from social_assets.features.online.chosen_store import FILE
from social_assets.features.online.rows import OnlineRow
from social_assets.features.online.sqlite_store import SqliteStore
from social_assets.features.registry import view_named
from social_assets.warehouse.served.serving_tables import delete_rows
from tests.integration.warehouse.features.conftest import FeaturesUnderTest
from tests.integration.warehouse.features.plain_sessions import Event

CHECKS = (online_equals_offline, no_feature_is_newer_than_its_label)
NOON = datetime.combine(datetime.now(UTC).date(), time(12), UTC)


def ago(days: int) -> datetime:
    """Noon, some days ago."""
    return NOON - timedelta(days=days)


@pytest.fixture
def filled(features: FeaturesUnderTest) -> FeaturesUnderTest:
    """Anna was active 10 and 9 days ago and came back 5 days ago; ben did not come back."""
    for file in features.warehouse.home.features.glob("*"):
        file.unlink()
    features.warehouse.client.command(f"DROP TABLE IF EXISTS {TRAINING_SET} SYNC")
    features.events(
        *(Event("anna", ago(days), f"p{days}") for days in (10, 9, 5)), Event("ben", ago(10), "p")
    )
    features.build(ago(11).date(), ago(4).date())
    return features


def _chosen(assets: Sequence[object]) -> dg.AssetSelection:
    checks = [each for each in assets if isinstance(each, dg.AssetChecksDefinition)]
    others = [each for each in assets if each not in checks]
    # An asset is made with its checks, unless only those that are named are chosen.
    keys = [each.key for each in others if isinstance(each, dg.AssetsDefinition)]
    made = dg.AssetSelection.assets(*keys) - dg.AssetSelection.checks(*CHECKS)
    return made | dg.AssetSelection.checks(*checks)


def made(features: FeaturesUnderTest, *assets: object) -> dg.ExecuteInProcessResult:
    """A run of assets with their checks."""
    return dg.materialize(
        [training_set, online_features, *CHECKS],
        selection=_chosen(assets),
        resources=features.warehouse.resources(),
        raise_on_error=False,
    )


def passed(result: dg.ExecuteInProcessResult) -> list[bool]:
    """What the checks of a run found."""
    assert result.success
    return [each.passed for each in result.get_asset_check_evaluations()]


def test_the_training_set_has_what_was_known_and_whether_the_user_came_back(
    filled: FeaturesUnderTest,
) -> None:
    assert passed(made(filled, training_set, no_feature_is_newer_than_its_label)) == [True]
    rows = filled.warehouse.client.query(
        f"SELECT user_id, events_28d, sessions_28d, interest_28d, days_since_active, {LABEL}\n"
        f"FROM {TRAINING_SET} WHERE at = toDate('{ago(7).date()}') ORDER BY user_id"
    ).result_rows
    assert rows == [("anna", 2, 2, 4.0, 2, 1), ("ben", 1, 1, 2.0, 3, 0)]


def test_leakage_that_is_planted_in_the_history_fails_the_check(
    filled: FeaturesUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = DailyWindows.select

    def early(*given: object) -> str:
        """A day is known a week before its end, and says that it is not."""
        text = select(*given)  # type: ignore[arg-type]
        return text.replace("toDateTime64(changed_on + 1,", "toDateTime64(changed_on - 6,")

    monkeypatch.setattr(DailyWindows, "select", early)
    assert passed(made(filled, training_set, no_feature_is_newer_than_its_label)) == [False]


def test_a_feature_that_is_known_after_its_label_fails_the_check(
    filled: FeaturesUnderTest,
) -> None:
    made(filled, training_set)
    client = filled.warehouse.client
    client.command(
        f"INSERT INTO {TRAINING_SET} (platform, user_id, at, user_now__known_at)\n"
        f"SELECT platform, user_id, at, at + 1 FROM {TRAINING_SET} LIMIT 1"
    )
    assert passed(made(filled, no_feature_is_newer_than_its_label)) == [False]


def test_a_user_who_is_forgotten_leaves_the_training_set(filled: FeaturesUnderTest) -> None:
    made(filled, training_set)
    for _ in range(2):
        delete_rows(filled.warehouse.client, training_table(), "user_id", ["ben"])
    users = filled.warehouse.client.query(f"SELECT DISTINCT user_id FROM {TRAINING_SET}")
    assert users.result_rows == [("anna",)]


def test_a_warehouse_without_events_has_an_empty_training_set_and_store(
    features: FeaturesUnderTest,
) -> None:
    assert passed(made(features, training_set, online_features, *CHECKS)) == [True, True]


def test_the_online_store_equals_the_warehouse_also_after_late_events(
    filled: FeaturesUnderTest,
) -> None:
    assert passed(made(filled, online_features, online_equals_offline)) == [True]
    filled.events(Event("anna", ago(3), "late"))
    assert passed(made(filled, online_equals_offline)) == [True]
    assert passed(made(filled, online_features, online_equals_offline)) == [True]


@pytest.mark.parametrize("planted", ["a value", "a row that is gone", "a row too many"])
def test_a_difference_that_is_planted_in_the_online_store_fails_the_check(
    filled: FeaturesUnderTest, planted: str
) -> None:
    made(filled, online_features)
    view = view_named("user_activity")
    store = SqliteStore(filled.warehouse.home.features / FILE)
    watermark = store.watermark(view)
    assert watermark is not None
    [anna] = [each for each in store.rows(view) if each.id == "anna"]
    wrong = OnlineRow(
        anna.platform,
        "anna" if planted == "a value" else "nobody",
        anna.known_at,
        anna.expires_at,
        {**anna.values, "events_28d": 4},
    )
    changed = [] if planted == "a row that is gone" else [wrong]
    gone = [("X", "anna")] if planted == "a row that is gone" else []
    store.write(view, changed, gone, watermark)
    store.close()
    assert passed(made(filled, online_equals_offline)) == [False]
