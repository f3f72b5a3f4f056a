"""The recommenders in the graph: the cost of their import, and when automation requests them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.spark.resource import spark_resource
from social_assets.defs.partitions import daily
from social_assets.defs.recommenders.assets import assets, checks
from social_assets.recommend import candidates as recsys_candidates


def test_definitions_load_without_the_libraries_that_training_needs() -> None:
    program = (
        "import json, sys, social_assets.defs.recommenders.assets as module;"
        "heavy = {'implicit', 'pyspark', 'scipy', 'sklearn', 'clickhouse_connect', 'matplotlib',"
        " 'optuna', 'jax', 'optax'} & set(sys.modules);"
        "keys = [asset.key.to_user_string() for asset in module.assets];"
        "print(json.dumps([keys, sorted(heavy)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    keys, heavy = json.loads(done.stdout)
    candidates = ("popularity", "als", *recsys_candidates.DAILY, *recsys_candidates.WEEKLY)
    candidates += recsys_candidates.DEEP + recsys_candidates.ON_REQUEST
    names = ("interaction_matrix", *candidates, "challenger", "champion", "top_n")
    names += ("similar_items", "tuning", "list_rules", "explored_items")
    assert keys == [f"recsys/{name}" for name in names]
    assert heavy == []


def definitions() -> dg.Definitions:
    return dg.Definitions(
        assets=[*upstream(), *assets],
        asset_checks=checks,
        resources={"clickhouse": ClickHouseResource(), "pyspark": spark_resource()},
    )


def upstream() -> list[dg.AssetSpec]:
    names = ("fact_engagement", "dim_user", "dim_post")
    return [dg.AssetSpec(["star", name], partitions_def=daily()) for name in names]


class Automation:
    """The assets that the automation conditions request, tick by tick."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: Any = None

    def requested(self, hour: int, minute: int = 0) -> set[str]:
        result = dg.evaluate_automation_conditions(
            definitions(),
            self.instance,
            evaluation_time=datetime(2026, 11, 20, hour, minute, tzinfo=UTC),
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        keys = {asset.key for asset in assets}
        return {key.path[-1] for key in keys if result.get_num_requested(key)}

    def facts_arrive(self) -> None:
        for spec in upstream():
            self.report(dg.AssetMaterialization(spec.key, partition="2026-11-19"))

    def made(self, *names: str) -> None:
        for name in names:
            self.report(dg.AssetMaterialization(["recsys", name]))

    def checked(self, passed: bool) -> None:
        names = ("beats_popularity", "keeps_up_with_champion", "is_shipped_by_its_experiment")
        for name in names:
            key = dg.AssetKey(["recsys", "challenger"])
            self.report(dg.AssetCheckEvaluation(asset_key=key, check_name=name, passed=passed))

    def report(self, event: Any) -> None:
        self.instance.report_runless_asset_event(event)


@pytest.fixture
def automation() -> Iterator[Automation]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Automation(instance)


def test_facts_that_keep_coming_train_the_models_once_a_day(automation: Automation) -> None:
    automation.requested(3)
    automation.facts_arrive()
    assert automation.requested(3, 30) == set()
    automation.facts_arrive()
    assert automation.requested(4, 1) == {
        "interaction_matrix",
        "popularity",
        "als",
        *recsys_candidates.DAILY,
        "challenger",
    }
    automation.facts_arrive()
    assert automation.requested(4, 30) == set()


@pytest.mark.parametrize("passed", [True, False])
def test_the_champion_is_asked_for_only_when_the_checks_have_passed(
    automation: Automation, passed: bool
) -> None:
    automation.facts_arrive()
    automation.requested(3)
    automation.made(
        "interaction_matrix", "popularity", "als", *recsys_candidates.DAILY, "challenger"
    )
    automation.checked(passed)
    assert automation.requested(4, 1) == (
        {"champion", "top_n", "similar_items"} if passed else set()
    )


def test_between_trainings_lists_are_refreshed_hourly_and_only_if_facts_came(
    automation: Automation,
) -> None:
    automation.facts_arrive()
    automation.made("champion", "top_n", "similar_items")
    automation.requested(5)
    automation.facts_arrive()
    assert automation.requested(5, 10) == set()
    assert automation.requested(5, 31) == {"top_n"}
    automation.made("top_n")
    assert automation.requested(6, 31) == set()
