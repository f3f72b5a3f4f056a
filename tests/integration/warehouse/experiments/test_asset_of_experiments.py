"""`recsys/experiment_results` and its checks on a real warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.experiments import results
from social_assets.defs.experiments.checks import experiment_checks
from social_assets.defs.experiments.results import experiment_results
from social_assets.recommend.experiments.definition import Experiment, ExperimentError
from social_assets.recommend.experiments.recommendation import Action
from social_assets.recommend.experiments.results_tables import EXPERIMENTS, RESULTS, read_recorded
from tests.integration.warehouse.conftest import WarehouseUnderTest, at
from tests.integration.warehouse.experiments.planted import (
    EXPERIMENT,
    START,
    exposure,
    population,
)


@pytest.fixture
def experimenting(
    warehouse: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WarehouseUnderTest]:
    """The warehouse with the planted experiment declared, and without results."""
    warehouse.client.command("DROP DATABASE IF EXISTS recsys SYNC")
    monkeypatch.setattr(results, "experiments", lambda: (EXPERIMENT,))
    yield warehouse
    warehouse.client.command("DROP DATABASE IF EXISTS recsys SYNC")


def made(warehouse: WarehouseUnderTest) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [experiment_results(), *experiment_checks], resources=warehouse.resources()
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def filled(warehouse: WarehouseUnderTest, exposures: Sequence[Any], events: Sequence[Any]) -> None:
    warehouse.stream("experiment_exposures", *exposures)
    warehouse.stream("engagement_events", *events)


def test_the_asset_writes_both_tables_and_shows_what_to_do(
    experimenting: WarehouseUnderTest,
) -> None:
    planted = population(600, lift=0.4)
    filled(experimenting, planted.exposures, planted.events)
    result = made(experimenting)
    (event,) = result.asset_materializations_for_node("recsys__experiment_results")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert shown["recommendations"].startswith("- **feed_order**: ship newest: likes of newest +")
    assert shown["experiments"] == 1
    assert shown["lift_of_feed_order"].startswith("![lift of the metrics of feed_order]")
    assert shown["dagster/row_count"] == experimenting.value(f"SELECT count() FROM {RESULTS.name}")
    assert experimenting.value(
        f"SELECT count() = uniqExact(experiment, as_of, metric, variant) FROM {RESULTS.name}"
    )
    with ClickHouseResource().client() as client:
        recorded = read_recorded(client)
    assert recorded["feed_order"].recommendation.action is Action.SHIP
    assert recorded["feed_order"].recommendation.variant == "newest"
    assert all(each.passed for each in checks(result).values())


def test_made_again_it_has_the_same_rows(experimenting: WarehouseUnderTest) -> None:
    planted = population(300)
    filled(experimenting, planted.exposures, planted.events)
    contents = []
    for _ in range(2):
        made(experimenting)
        contents.append(
            [
                experimenting.client.query(
                    f"SELECT * EXCEPT computed_at FROM {table.name} ORDER BY ALL"
                ).result_rows
                for table in (RESULTS, EXPERIMENTS)
            ]
        )
    assert contents[0] == contents[1]
    assert contents[0][0]


def test_without_exposures_the_tables_say_so_and_the_checks_pass(
    experimenting: WarehouseUnderTest,
) -> None:
    result = made(experimenting)
    assert result.success
    assert experimenting.value(f"SELECT count() FROM {RESULTS.name}") == 0
    assert experimenting.value(f"SELECT action FROM {EXPERIMENTS.name}") == "go on"
    assert all(each.passed for each in checks(result).values())


def test_a_sample_ratio_mismatch_fails_its_check(experimenting: WarehouseUnderTest) -> None:
    planted = population(900)
    kept = [row for n, row in enumerate(planted.exposures) if row["variant"] == "control" or n % 3]
    filled(experimenting, kept, planted.events)
    found = checks(made(experimenting))["sample_ratio"]
    assert not found.passed
    assert "feed_order" in str(found.metadata["wrong"].value)


def test_a_harmed_guardrail_fails_its_check(experimenting: WarehouseUnderTest) -> None:
    planted = population(1_200, clicks=0.6, treated_clicks=0.4)
    filled(experimenting, planted.exposures, planted.events)
    found = checks(made(experimenting))["guardrails_hold"]
    assert not found.passed
    assert "newest changes click_through_rate by -" in str(found.metadata["wrong"].value)


def test_units_in_another_variant_than_assigned_warn(experimenting: WarehouseUnderTest) -> None:
    planted = population(200)
    other = {"control": "newest", "newest": "control"}
    moved = planted.exposures[0]
    when = at(f"{START} 12:00")
    swapped = exposure(moved["user_id"], other[moved["variant"]], when)
    filled(experimenting, [swapped, *planted.exposures[1:]], planted.events)
    found = checks(made(experimenting))["exposures_are_as_assigned"]
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert "1 in another variant than assigned" in str(found.metadata["wrong"].value)


def test_a_wrong_declaration_fails_the_run_and_says_why(
    experimenting: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> tuple[Experiment, ...]:
        raise ExperimentError("experiment feed_order: it names no goal")

    monkeypatch.setattr(results, "experiments", wrong)
    with pytest.raises(dg.Failure, match="it names no goal"):
        made(experimenting)
