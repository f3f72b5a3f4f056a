"""`features` is built again after a loss or a kill, and has nothing of records that are gone."""

from __future__ import annotations

import signal
import time
from datetime import date

import pytest

from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.recovery import build_with_dbt
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment
from tests.integration.warehouse.conftest import at
from tests.integration.warehouse.features.conftest import TABLES, FeaturesUnderTest, key
from tests.integration.warehouse.features.plain_sessions import Event, sessions
from tests.integration.warehouse.features.shown_items import Shown, load

DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)
ANNA = (Event("anna", at("2026-01-10 23:50"), "p"), Event("anna", at("2026-01-11 00:10"), "p"))
BEN = (Event("ben", at("2026-01-10 23:55"), "p"), Event("ben", at("2026-01-11 12:00"), "p"))


def build_as_recovery_does(features: FeaturesUnderTest, first: date, last: date) -> None:
    clickhouse = features.warehouse.resources()["clickhouse"]
    build_with_dbt(StoresResource(clickhouse=clickhouse), "test")(first, last)


def test_what_finishes_pending_days_builds_features(features: FeaturesUnderTest) -> None:
    features.events(*ANNA, *BEN)
    build_as_recovery_does(features, DAY, NEXT)
    assert features.sessions() == sessions([*ANNA, *BEN])
    assert features.warehouse.value("SELECT count() FROM features.user_days") == 4


def test_no_table_of_features_has_a_person_whose_records_are_erased(
    features: FeaturesUnderTest,
) -> None:
    features.events(*ANNA, *BEN)
    lists = [Shown(user, at("2026-01-10 09:00"), ("p",), user) for user in ("anna", "ben")]
    load(features.warehouse, lists, [])
    features.build(DAY, NEXT)
    # As erasing does: the days of the streams are loaded anew, and built behind.
    cleaned = ("cleaned.engagement_events", "cleaned.recommendation_exposures")
    for table in (*cleaned, "star.fact_engagement"):
        features.warehouse.client.command(f"TRUNCATE TABLE {table}")
    features.events(*BEN)
    load(features.warehouse, lists[1:], [])
    build_as_recovery_does(features, DAY, NEXT)
    assert features.sessions() == sessions(BEN)
    # Texts, and sessions of ten events or more, have tests of their own.
    others = ("unusual_sessions", "coordinated_texts")
    tables = [
        f"features.{name}" for name in TABLES if not name.endswith("_daily") and name not in others
    ]
    for table in tables:
        rows = features.warehouse.client.query(
            f"SELECT countIf(user_key = unhex('{key('anna').hex()}')), count() FROM {table}"
        ).result_rows
        assert rows[0][0] == 0 and rows[0][1] > 0, table


@pytest.mark.timeout(300)
def test_a_run_that_is_killed_shows_old_rows_and_the_next_one_builds_the_days(
    features: FeaturesUnderTest,
) -> None:
    features.events(*ANNA)
    features.build(DAY, NEXT)
    features.events(*BEN)
    warehouse = features.warehouse
    environment = dbt_environment(warehouse.endpoint, "test", 1)
    arguments = dbt_arguments("run", TABLES, days=Days(DAY, NEXT))
    running = warehouse.project.dbt.start(arguments, environment, warehouse.home.logs)
    staging = (
        "SELECT count() FROM system.tables WHERE database = 'features' AND name LIKE '%staging%'"
    )
    ends_at = time.monotonic() + 120
    while not warehouse.value(staging) and time.monotonic() < ends_at:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    with running:
        pass
    assert features.sessions() in (sessions(ANNA), sessions([*ANNA, *BEN]))
    features.build(DAY, NEXT)
    assert features.sessions() == sessions([*ANNA, *BEN])
    features.build(DAY, NEXT)
    assert features.sessions() == sessions([*ANNA, *BEN])
