"""The two code locations in Dagster's own processes: webserver, daemon, code servers and runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.live_platform import LivePlatform, await_that, live_platform
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.ingest.connectors.registry import connectors
from social_assets.operate.runs.instance import use_home
from social_assets.serving.dashboards.registry import dashboards

pytestmark = [pytest.mark.timeout(600), pytest.mark.endurance]

DAY = (datetime.now(UTC) - timedelta(days=1)).date()
POST = f'{{"post_id": "p1", "account_id": 1, "created_at": "{DAY}T10:00:00Z"}}\n'
ACROSS = (("raw", "posts"), ("cleaned", "posts"), ("quarantine", "posts"), ("star", "dim_post"))

ASSETS = """
{
  assetNodes {
    assetKey { path } isMaterializable isExecutable jobNames
    repository { location { name } }
    assetChecksOrError { ... on AssetChecks { checks { name } } }
  }
}"""
BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""
STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } }
  }
}"""
RUNS = """
query ($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    ... on Runs {
      results {
        pipelineName status assetSelection { path }
        repositoryOrigin { repositoryLocationName }
        assetCheckSelection { name }
      }
    }
  }
}"""
CHECK = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""


@pytest.fixture(scope="module")
def platform(home: Home) -> Iterator[LivePlatform]:
    use_home(home)
    with live_platform(home) as found:
        yield found


def nodes(platform: LivePlatform) -> dict[str, Mapping[str, Any]]:
    """The assets in the UI."""
    found = platform.ask(ASSETS)["assetNodes"]
    return {"/".join(node["assetKey"]["path"]): node for node in found}


def runs(platform: LivePlatform, tag: str, value: str) -> list[Mapping[str, Any]]:
    asked = {"tags": [{"key": tag, "value": value}]}
    found: list[Mapping[str, Any]] = platform.ask(RUNS, filter=asked)["runsOrError"]["results"]
    return found


def test_every_asset_but_platforms_and_dashboards_can_be_materialized_in_the_ui(
    platform: LivePlatform,
) -> None:
    found = nodes(platform)
    assert {f"raw/{contract.name}" for contract in contracts()} <= found.keys()
    fixed = {key for key, node in found.items() if not node["isMaterializable"]}
    # These hold no rows: raw assets come from platforms, and dashboards show rollups.
    shown = {f"dashboards/{each.name}" for each in dashboards()}
    assert fixed == {f"platforms/{each.platform.lower()}" for each in connectors()} | shown


def test_the_checks_of_raw_are_shown_with_raw(platform: LivePlatform) -> None:
    found = nodes(platform)
    for contract in contracts():
        checks = found[f"raw/{contract.name}"]["assetChecksOrError"]["checks"]
        assert {"no_file_failed", "topic_is_drained"} <= {check["name"] for check in checks}


def test_a_backfill_in_the_ui_makes_days_from_raw_to_star(platform: LivePlatform) -> None:
    landing = platform.home.landing / "posts"
    landing.mkdir(parents=True, exist_ok=True)
    (landing / "one.ndjson").write_text(POST)
    params = {
        "assetSelection": [{"path": list(path)} for path in ACROSS],
        "partitionNames": [DAY.isoformat()],
    }
    launched = platform.ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    backfill = launched["backfillId"]

    def state() -> Mapping[str, Any]:
        found: Mapping[str, Any] = platform.ask(STATUS, id=backfill)["partitionBackfillOrError"]
        return found

    await_that(lambda: state()["status"].startswith(("COMPLETED", "FAILED")), 300, "the backfill")
    assert state() == {"status": "COMPLETED_SUCCESS", "error": None}
    (ran,) = runs(platform, "dagster/backfill", backfill)
    assert {tuple(asset["path"]) for asset in ran["assetSelection"]} == set(ACROSS)
    assert "no_file_failed" in {check["name"] for check in ran["assetCheckSelection"]}
    rows = platform.warehouse.query("SELECT count() FROM star.dim_post WHERE post_id = 'p1'")
    assert rows.result_rows == [(1,)]


def test_a_check_of_raw_can_be_executed_in_the_ui(platform: LivePlatform) -> None:
    key = {"assetKey": {"path": ["raw", "posts"]}, "name": "no_file_failed"}
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "batch",
        "jobName": "__ASSET_JOB",
        "assetSelection": [],
        "assetCheckSelection": [key],
    }
    answer = platform.ask(CHECK, params={"selector": selector, "mode": "default"})["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id = answer["run"]["runId"]

    def status() -> str:
        found = platform.ask(RUNS, filter={"runIds": [run_id]})["runsOrError"]["results"]
        return str(found[0]["status"])

    await_that(lambda: status() in ("SUCCESS", "FAILURE"), 120, "the check")
    assert status() == "SUCCESS"
