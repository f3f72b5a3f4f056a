"""`forecasts/engagement` and its checks on a real warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from social_assets.defs.forecasts.checks import forecast_checks
from social_assets.defs.forecasts.engagement import engagement_forecasts
from social_assets.forecasts.tables import FORECASTS, SERIES
from social_assets.warehouse.served.serving_tables import delete_rows
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.integration.warehouse.forecasts.planted import LAST, by_day, by_hour, newest

CALM = by_day("a1")
PLANTED = (*CALM, *by_day("007", "YouTube", spike=6, seed=1), newest("a1"))


@pytest.fixture(scope="module")
def planted(deployed: WarehouseUnderTest) -> dg.ExecuteInProcessResult:
    """The result of the asset on two accounts, of which one has a spike on the last day."""
    deployed.empty("cleaned", "star", "rollups", "features", "text")
    deployed.client.command("DROP DATABASE IF EXISTS forecasts SYNC")
    deployed.stream("engagement_events", *PLANTED)
    return made(deployed)


@pytest.fixture
def forecasting(warehouse: WarehouseUnderTest) -> Iterator[WarehouseUnderTest]:
    """The warehouse without events and without forecasts."""
    warehouse.client.command("DROP DATABASE IF EXISTS forecasts SYNC")
    yield warehouse
    warehouse.client.command("DROP DATABASE IF EXISTS forecasts SYNC")


def made(warehouse: WarehouseUnderTest) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [engagement_forecasts(), *forecast_checks], resources=warehouse.resources()
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def contents(warehouse: WarehouseUnderTest) -> list[object]:
    return [
        warehouse.client.query(
            f"SELECT * EXCEPT computed_at FROM {table.name} ORDER BY ALL"
        ).result_rows
        for table in (FORECASTS, SERIES)
    ]


def test_the_asset_forecasts_accounts_platforms_and_all_of_them(
    planted: dg.ExecuteInProcessResult, deployed: WarehouseUnderTest
) -> None:
    assert deployed.client.query(
        f"SELECT platform, account FROM {SERIES.name} WHERE grain = 'day' ORDER BY ALL"
    ).result_rows == [("", ""), ("X", ""), ("X", "a1"), ("YouTube", ""), ("YouTube", "007")]
    [(past, future, first, last)] = deployed.client.query(
        "SELECT countIf(actual IS NOT NULL), countIf(actual IS NULL),\n"
        f"  minIf(time, actual IS NULL), max(time) FROM {FORECASTS.name}\n"
        "WHERE grain = 'day' AND platform = 'YouTube' AND account = '007'"
    ).result_rows
    assert (past, future) == (28, 28)
    assert first.date() == LAST.date()
    assert last - first == timedelta(days=27)
    (event,) = planted.asset_materializations_for_node("forecasts__engagement")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert shown["dagster/row_count"] == deployed.value(f"SELECT count() FROM {FORECASTS.name}")
    assert shown["day_median_error"] <= shown["day_median_naive_error"]
    assert shown["day_plot"].startswith("![engagement by day with its band]")
    assert checks(planted)["no_model_loses_to_seasonal_naive"].passed


def test_the_values_are_those_of_the_metric(
    planted: dg.ExecuteInProcessResult, deployed: WarehouseUnderTest
) -> None:
    found = deployed.client.query(
        f"SELECT actual FROM {FORECASTS.name}\n"
        "WHERE grain = 'day' AND account = 'a1' AND actual IS NOT NULL ORDER BY time"
    ).result_rows
    assert [value for (value,) in found] == [row["value"] for row in CALM[-28:]]


def test_a_planted_spike_is_an_anomaly_and_its_check_warns(
    planted: dg.ExecuteInProcessResult, deployed: WarehouseUnderTest
) -> None:
    found = checks(planted)["newest_values_are_expected"]
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert "YouTube, 007 at 2026-06-29: " in str(found.metadata["values"].value)
    assert "a1" not in str(found.metadata["values"].value)
    assert deployed.value(
        f"SELECT is_anomaly FROM {FORECASTS.name}\n"
        "WHERE grain = 'day' AND account = '007' AND time = '2026-06-29'"
    )


def test_made_again_it_has_the_same_rows(
    planted: dg.ExecuteInProcessResult, deployed: WarehouseUnderTest
) -> None:
    before = contents(deployed)
    made(deployed)
    assert contents(deployed) == before
    assert before[0]


def test_a_forgotten_account_has_no_forecast(
    planted: dg.ExecuteInProcessResult, deployed: WarehouseUnderTest
) -> None:
    for table in (FORECASTS, SERIES):
        delete_rows(deployed.client, table, "account", ["007"])
        assert deployed.value(f"SELECT groupUniqArray(account) FROM {table.name}") in (
            ["", "a1"],
            ["a1", ""],
        )


def test_platforms_are_forecast_by_hour_and_accounts_are_not(
    forecasting: WarehouseUnderTest,
) -> None:
    forecasting.stream("engagement_events", *by_hour("a1"), newest("a1"))
    made(forecasting)
    found = forecasting.client.query(
        "SELECT platform, account, countIf(actual IS NULL), uniqExact(time) = count()\n"
        f"FROM {FORECASTS.name} WHERE grain = 'hour' GROUP BY ALL ORDER BY ALL"
    ).result_rows
    assert found == [("", "", 48, 1), ("X", "", 48, 1)]
    assert forecasting.value(
        f"SELECT max(error < naive_error) FROM {SERIES.name} WHERE grain = 'hour'"
    )


def test_without_events_the_tables_are_empty_and_the_checks_pass(
    forecasting: WarehouseUnderTest,
) -> None:
    result = made(forecasting)
    assert result.success
    assert forecasting.value(f"SELECT count() FROM {FORECASTS.name}") == 0
    assert all(each.passed for each in checks(result).values())


def test_an_account_of_one_day_has_a_forecast_without_a_backtest(
    forecasting: WarehouseUnderTest,
) -> None:
    forecasting.stream("engagement_events", by_day("a1")[-1], newest("a1"))
    result = made(forecasting)
    assert forecasting.client.query(
        f"SELECT model, windows, error FROM {SERIES.name} WHERE grain = 'day' AND account = 'a1'"
    ).result_rows == [("mean", 0, None)]
    assert all(each.passed for each in checks(result).values())
