"""A row that is lost, doubled or wrong in `features` fails a check, which names the day."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from social_assets.defs.features.features import feature_checks
from social_assets.defs.features.features import features as feature_assets
from social_assets.defs.partitions import range_tags
from social_assets.quality.features.sums import (
    COORDINATED_TEXTS,
    EXPOSURES,
    FEATURE_SUMS,
    POSITIONS_DAILY,
    SESSIONS,
    SESSIONS_DAILY,
    UNUSUAL_SESSIONS,
    FeatureSums,
    compare_sums,
)
from social_assets.quality.features.wrong_sessions import count_wrong_sessions
from tests.integration.warehouse.conftest import at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest
from tests.integration.warehouse.features.plain_sessions import Event
from tests.integration.warehouse.features.shown_items import Given, Shown, load
from tests.integration.warehouse.features.test_coordinated_texts import comment

DAY, NEXT, LAST = date(2026, 1, 10), date(2026, 1, 11), date(2026, 1, 13)
SUMS = {sums.table: sums for sums in FEATURE_SUMS}
EACH = pytest.mark.parametrize("sums", FEATURE_SUMS, ids=lambda each: each.table)


@pytest.fixture
def filled(features: FeaturesUnderTest) -> FeaturesUnderTest:
    """Sessions over midnight and on days around, a list that was shown, a bot, a ring; built."""
    features.events(
        *(Event("bot", at("2026-01-11 08:00") + timedelta(seconds=20 * n), "p") for n in range(30)),
        *(Event("anna", at("2026-01-10 23:00") + timedelta(minutes=9 * n), "p") for n in range(20)),
        *(Event("ben", at("2026-01-11 10:00") + timedelta(hours=5 * n), "p") for n in range(9)),
    )
    load(
        features.warehouse,
        [Shown("s", at("2026-01-11 09:00"), ("p", "q"))],
        [Given("g", at("2026-01-11 09:01"), "p")],
    )
    moment = at("2026-01-11 11:00")
    features.warehouse.stream(
        "comments",
        *(comment(n, f"u{n}", moment, "Buy these shoes today, best price!") for n in range(6)),
    )
    features.build(DAY, LAST)
    return features


def differing(
    features: FeaturesUnderTest, sums: FeatureSums, days: list[date] | None = None
) -> list[date]:
    return [each.day for each in compare_sums(features.warehouse.client, sums, days)]


@EACH
def test_what_dbt_has_built_has_the_sums_of_the_events(
    filled: FeaturesUnderTest, sums: FeatureSums
) -> None:
    assert differing(filled, sums) == []
    for day in (DAY, NEXT, LAST):
        assert differing(filled, sums, [day]) == []


@pytest.mark.parametrize(
    "sums", [each for each in FEATURE_SUMS if each.tells_lost_rows], ids=lambda each: each.table
)
def test_a_lost_day_is_found_and_named(filled: FeaturesUnderTest, sums: FeatureSums) -> None:
    filled.warehouse.client.command(f"ALTER TABLE {sums.table} DROP PARTITION '{NEXT}'")
    assert NEXT in differing(filled, sums)
    assert NEXT in differing(filled, sums, [NEXT])
    assert DAY not in differing(filled, sums)


@EACH
def test_a_doubled_row_is_found(filled: FeaturesUnderTest, sums: FeatureSums) -> None:
    filled.warehouse.client.command(
        f"INSERT INTO {sums.table} SELECT * FROM {sums.table} WHERE event_date = '{NEXT}' LIMIT 1",
        settings={"insert_deduplicate": 0},
    )
    assert differing(filled, sums, [NEXT]) == [NEXT]


def test_a_late_event_is_missed_until_its_day_is_built(filled: FeaturesUnderTest) -> None:
    filled.events(Event("carl", at("2026-01-11 01:00"), "p"))
    for sums in FEATURE_SUMS:
        # The sums of sessions are those of the sessions; exposures and texts are no events.
        others = (SESSIONS_DAILY, EXPOSURES, POSITIONS_DAILY, UNUSUAL_SESSIONS, COORDINATED_TEXTS)
        expected = [] if sums.table in others else [NEXT]
        assert differing(filled, sums) == expected
    filled.build(NEXT)
    assert not [day for sums in FEATURE_SUMS for day in differing(filled, sums)]


def test_days_that_follow_an_expired_day_are_not_compared(filled: FeaturesUnderTest) -> None:
    filled.warehouse.client.command(f"ALTER TABLE {SESSIONS} DROP PARTITION '{DAY}'")
    client = filled.warehouse.client
    assert [each.day for each in compare_sums(client, SUMS[SESSIONS], None)] == [DAY, NEXT]
    assert compare_sums(client, SUMS[SESSIONS], None, [DAY]) == []


def test_a_warehouse_without_events_passes(features: FeaturesUnderTest) -> None:
    assert not [day for sums in FEATURE_SUMS for day in differing(features, sums)]
    assert not [day for sums in FEATURE_SUMS for day in differing(features, sums, [DAY])]
    assert count_wrong_sessions(features.warehouse.client, None).is_right


@pytest.mark.parametrize("days", [None, [NEXT]])
def test_sessions_that_overlap_are_found(
    filled: FeaturesUnderTest, days: list[date] | None
) -> None:
    client = filled.warehouse.client
    assert count_wrong_sessions(client, days).is_right
    client.command(
        f"INSERT INTO {SESSIONS} SELECT * REPLACE (\n"
        f"  toDate('{NEXT}') AS event_date, ended_at AS event_time)\n"
        f"FROM (SELECT * FROM {SESSIONS} WHERE event_date = '{DAY}')",
        settings={"insert_deduplicate": 0},
    )
    found = count_wrong_sessions(client, days)
    assert (found.overlapping, found.malformed, found.days) == (1, 0, (NEXT,))


def test_a_session_that_lasts_too_long_is_found(filled: FeaturesUnderTest) -> None:
    client = filled.warehouse.client
    client.command(
        f"INSERT INTO {SESSIONS} SELECT * REPLACE (unhex(hex(MD5('x'))) AS user_key,\n"
        f"  ended_at + INTERVAL 2 DAY AS ended_at) FROM {SESSIONS} WHERE event_date = '{DAY}'",
        settings={"insert_deduplicate": 0},
    )
    assert count_wrong_sessions(client, None).malformed == 1


def test_a_run_of_the_layer_builds_its_days_and_passes_its_checks(
    filled: FeaturesUnderTest,
) -> None:
    filled.warehouse.empty("features")
    result = dg.materialize(
        [feature_assets(), *feature_checks],
        resources=filled.warehouse.resources(),
        tags=range_tags(DAY, LAST),
    )
    assert result.success
    found = {(e.asset_key.path[-1], e.check_name): e for e in result.get_asset_check_evaluations()}
    assert len(found) == len(FEATURE_SUMS) + 1
    assert all(each.passed for each in found.values())
    assert found["sessions", "sessions_do_not_overlap"].metadata["sessions"].value == 11
    keys = {e.asset_key.path[-1] for e in result.get_asset_materialization_events() if e.asset_key}
    assert keys == {key.path[-1] for key in feature_assets().keys}


def test_a_failing_check_names_the_day_and_what_to_do(filled: FeaturesUnderTest) -> None:
    filled.warehouse.client.command(f"ALTER TABLE {SESSIONS} DROP PARTITION '{NEXT}'")
    result = dg.materialize(
        [feature_assets(), *feature_checks],
        selection=dg.AssetSelection.all_asset_checks(),
        resources=filled.warehouse.resources(),
        tags=range_tags(NEXT, NEXT),
        raise_on_error=False,
    )
    failed = [each for each in result.get_asset_check_evaluations() if not each.passed]
    told = {str(each.asset_key.path[-1]): each.description or "" for each in failed}
    assert set(told) == {"sessions", "sessions_daily", "unusual_sessions"}
    assert "2026-01-11" in told["sessions"] and "social-assets backfill" in told["sessions"]
