"""The recommender assets, materialized against the embedded ClickHouse."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

import recsys
from resources.clickhouse import URL_VARIABLE, ClickHouseResource, connect
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running, stop
from resources.home import ENVIRONMENT_VARIABLE, Home
from social_assets.defs import recsys_top_n
from social_assets.defs.partitions import DAILY
from social_assets.defs.recsys import assets, checks

FIRST_DAY = date(2026, 11, 1)
USERS, POSTS, TASTES = 400, 160, 8

# The columns that dbt gives the fact; tests/integration/recsys reads dbt's own tables.
FACT = """
CREATE TABLE star.fact_engagement (
  event_date Date, event_time DateTime64(6, 'UTC'), event_id String,
  account_key FixedString(16), post_key FixedString(16), user_key FixedString(16),
  platform_key FixedString(16), time_key FixedString(16), date_key FixedString(16),
  metric_type LowCardinality(String), value Float64
) ENGINE = MergeTree PARTITION BY event_date ORDER BY (account_key, post_key, event_time)
"""

# Each user has one taste and follows it in seven reactions of ten, or in none: `followed` of 10.
EVENTS = f"""
INSERT INTO star.fact_engagement
SELECT
  {{day:Date}}, toDateTime64({{day:Date}}, 6, 'UTC') + number % 86400, toString(id),
  MD5('account'), MD5(concat('p', toString(post))), MD5(toString(user)),
  MD5('platform'), MD5('time'), MD5('date'),
  ['view', 'like', 'share'][1 + sipHash64(id, 'metric') % 3], 1
FROM (
  SELECT number, concat(toString({{day:Date}}), toString(number)) AS id,
    sipHash64(id, 'user') % {USERS} AS user,
    if(sipHash64(id, 'stray') % 10 < {{followed:UInt8}},
       user % {TASTES} + {TASTES} * (sipHash64(id, 'own') % {POSTS // TASTES}),
       sipHash64(id, 'any') % {POSTS}) AS post
  FROM numbers({{events:UInt32}})
)
"""


@dataclass
class Warehouse:
    """A star schema to be filled with reactions."""

    client: Client
    days: list[date] = field(default_factory=list)

    def create(self) -> None:
        for database in ("star", "recsys"):
            self.client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
        self.client.command("CREATE DATABASE star")
        self.client.command(FACT)
        self.client.command(
            "CREATE TABLE star.dim_user ENGINE = MergeTree ORDER BY user_key AS\n"
            f"SELECT MD5(toString(number)) AS user_key, toString(number) AS user_id\n"
            f"FROM numbers({USERS})"
        )
        self.client.command(
            "CREATE TABLE star.dim_post ENGINE = MergeTree ORDER BY post_key AS\n"
            "SELECT MD5(post_id) AS post_key, concat('p', toString(number)) AS post_id\n"
            f"FROM numbers({POSTS})"
        )

    def engage(self, days: int = 14, events: int = 1500, followed: int = 7) -> None:
        """Reactions of so many more days."""
        for _ in range(days):
            day = FIRST_DAY + timedelta(days=len(self.days))
            self.days.append(day)
            self.client.command(
                EVENTS, parameters={"day": day, "events": events, "followed": followed}
            )

    def forget(self) -> None:
        self.client.command("TRUNCATE TABLE star.fact_engagement")
        self.days.clear()

    def served(self) -> list[tuple[Any, ...]]:
        query = "SELECT user_id, rank, item_id, model_version FROM recsys.top_n ORDER BY 1, 2"
        return [tuple(row) for row in self.client.query(query).result_rows]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    home = Home(tmp_path_factory.mktemp("clickhouse_home"))
    yield ensure_running(home)
    stop(home)


@pytest.fixture
def artifacts(tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, on the server that all tests share."""
    address = urlsplit(endpoint.url)
    credentials = f"{quote(endpoint.user)}:{quote(endpoint.password)}"
    monkeypatch.setenv(URL_VARIABLE, f"{address.scheme}://{credentials}@{address.netloc}")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    return Home.from_environment().artifacts


@pytest.fixture
def warehouse(endpoint: Endpoint, artifacts: Path) -> Iterator[Warehouse]:
    client = connect(endpoint)
    warehouse = Warehouse(client)
    warehouse.create()
    yield warehouse
    client.close()


Recommend = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def recommend(artifacts: Path) -> Iterator[Recommend]:
    """Run the group, or a selection of it, as its job would."""
    with dg.DagsterInstance.ephemeral() as instance:

        def run(*selected: str, **config: dict[str, Any]) -> dg.ExecuteInProcessResult:
            selection = dg.AssetSelection.groups("recsys")
            if selected:
                keys = [["recsys", name] for name in selected]
                selection = dg.AssetSelection.assets(*keys).without_checks()
            job = dg.define_asset_job("recommend", selection=selection)
            ops = {f"recsys__{name}": {"config": values} for name, values in config.items()}
            return (
                definitions(job)
                .resolve_job_def("recommend")
                .execute_in_process(
                    run_config={"ops": ops}, instance=instance, raise_on_error=False
                )
            )

        yield run


def definitions(*jobs: Any) -> dg.Definitions:
    return dg.Definitions(
        assets=[*upstream(), *assets],
        asset_checks=checks,
        jobs=jobs,
        resources={"clickhouse": ClickHouseResource()},
    )


def upstream() -> list[dg.AssetSpec]:
    names = ("fact_engagement", "dim_user", "dim_post")
    return [dg.AssetSpec(["star", name], partitions_def=DAILY) for name in names]


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    [event] = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["recsys", asset])
    ]
    return {name: value.value for name, value in event.metadata.items()}


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    [error] = [
        event.step_failure_data.user_failure_data or event.step_failure_data.error
        for event in result.filter_events(lambda event: event.is_step_failure)
    ]
    return str(getattr(error, "description", error))


def champion_version(artifacts: Path) -> str:
    return str(recsys.load(artifacts / "champion" / "als").manifest["version"])


def test_definitions_load_without_the_libraries_that_training_needs() -> None:
    program = (
        "import json, sys, social_assets.defs.recsys as module;"
        "heavy = {'implicit', 'scipy', 'sklearn', 'clickhouse_connect'} & set(sys.modules);"
        "keys = [asset.key.to_user_string() for asset in module.assets];"
        "print(json.dumps([keys, sorted(heavy)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    keys, heavy = json.loads(done.stdout)
    names = ("interaction_matrix", "popularity", "als", "champion", "top_n")
    assert keys == [f"recsys/{name}" for name in names]
    assert heavy == []


def test_a_first_run_publishes_a_champion_and_serves_it(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    result = recommend()

    assert result.success
    assert len(verdicts(result)) == 5
    assert all(verdicts(result).values())
    model = recsys.load(artifacts / "champion" / "als")
    assert model.manifest["version"] == result.run_id
    assert model.manifest["metrics"]["gain_low"] > 0
    assert model.manifest["data_window"][1] == "2026-11-15T00:00:00+00:00"
    of_user_9 = [row for row in warehouse.served() if row[0] == "9"]
    assert [row[1] for row in of_user_9] == list(range(1, 21))
    assert [row[2] for row in of_user_9] == model.recommend("9", 20)["item_id"].to_pylist()
    assert {row[3] for row in warehouse.served()} == {result.run_id}


def test_a_materialization_tells_what_was_learned_from_and_how_well(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    result = recommend()

    matrix = metadata(result, "interaction_matrix")
    assert (matrix["users"], matrix["items"], matrix["events"]) == (USERS, POSTS, 14 * 1500)
    assert matrix["data_window"] == "2026-11-01 to 2026-11-14, judged from 2026-11-12"
    assert matrix["events_without_dimension"] == 0
    als, popularity = metadata(result, "als"), metadata(result, "popularity")
    assert als["ndcg@10"] > 1.5 * popularity["ndcg@10"]
    assert "| ndcg |" in als["metrics"]
    champion = metadata(result, "champion")
    assert "als beats popularity" in champion["decision"]
    assert champion["replaced"] == "none"
    assert metadata(result, "top_n")["dagster/row_count"] == len(warehouse.served())


def test_new_data_makes_a_new_version_and_the_old_one_stays(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    warehouse.engage(days=1)
    second = recommend()

    assert second.success
    assert champion_version(artifacts) == second.run_id
    assert metadata(second, "champion")["replaced"] == first.run_id
    assert recsys.load(artifacts / "champion" / "als" / first.run_id)
    assert {row[3] for row in warehouse.served()} == {second.run_id}


def test_interactions_without_taste_leave_the_champion_as_it_is(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    served = warehouse.served()
    warehouse.forget()
    warehouse.engage(followed=0)
    second = recommend()

    assert not second.success
    assert verdicts(second) == {"beats_popularity": False, "keeps_up_with_champion": True}
    assert champion_version(artifacts) == first.run_id
    assert warehouse.served() == served


def test_the_champion_refuses_a_candidate_also_without_the_checks(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(followed=0)
    result = recommend("interaction_matrix", "popularity", "als", "champion")

    assert not result.success
    assert "the champion stays: als does not beat popularity" in failure(result)
    assert not (artifacts / "champion").exists()


def test_a_worse_recipe_falls_behind_the_champion(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    second = recommend(als={"factors": 2})

    assert not second.success
    assert verdicts(second) == {"beats_popularity": True, "keeps_up_with_champion": False}
    assert champion_version(artifacts) == first.run_id


def test_a_candidate_is_not_compared_across_matrices(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    recommend("interaction_matrix", "popularity")
    recommend("interaction_matrix", "als")
    result = recommend("champion")

    assert "materialize both on one matrix" in failure(result)


def test_a_candidate_whose_matrix_is_gone_must_be_judged_again(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    recommend("interaction_matrix", "popularity", "als")
    for _ in range(3):
        recommend("interaction_matrix")
    assert "materialize recsys/popularity and recsys/als" in failure(recommend("champion"))


def test_the_same_data_gives_the_same_bytes(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    runs = [recommend("interaction_matrix", "popularity", "als", "champion") for _ in range(2)]

    for folder in ("interaction_matrix", "champion/als"):
        one, other = (files(artifacts / folder / run.run_id) for run in runs)
        assert len(one) >= 4
        assert one == other


def files(folder: Path) -> dict[str, bytes]:
    suffixes = {".npz", ".parquet"}
    found = [path for path in folder.rglob("*") if path.suffix in suffixes]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    ("days", "says"),
    [(0, "load engagement_events first"), (1, "load engagement_events of another day")],
)
def test_too_few_days_fail_with_what_to_do(
    warehouse: Warehouse, recommend: Recommend, days: int, says: str
) -> None:
    warehouse.engage(days)
    result = recommend()

    assert not result.success
    assert says in failure(result)


def test_a_warehouse_without_tables_fails_with_what_to_do(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.client.command("DROP DATABASE star SYNC")
    assert "materialize star/fact_engagement, star/dim_user" in failure(recommend())


def test_a_handful_of_events_is_judged_and_not_published(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(days=3, events=40)
    result = recommend()

    assert not result.success
    assert verdicts(result)["beats_popularity"] is False
    assert not (artifacts / "champion").exists()


WRONG_ROWS = {
    "('0', 1, 'p1', 0, 'als', {version:String}, now64(6))": "one_row_a_user_and_rank",
    "('0', 21, 'p1', 0, 'als', {version:String}, now64(6))": "one_row_a_user_and_rank",
    "('x', 2, 'p1', 0, 'als', {version:String}, now64(6))": "one_row_a_user_and_rank",
    "('x', 1, 'nowhere', 0, 'als', {version:String}, now64(6))": "items_are_known",
    "('x', 1, 'p1', 0, 'als', concat('not ', {version:String}), now64(6))": "is_of_the_champion",
}


def test_a_wrong_row_in_the_serving_table_makes_its_check_fail(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(days=6)
    recommend()
    version = {"version": champion_version(artifacts)}
    job = dg.define_asset_job("verify", dg.AssetSelection.checks(*on_top_n()))
    for row, check in WRONG_ROWS.items():
        warehouse.client.command(f"INSERT INTO recsys.top_n VALUES {row}", parameters=version)
        result = definitions(job).resolve_job_def("verify").execute_in_process()
        assert [name for name, passed in verdicts(result).items() if not passed] == [check]
        assert recommend("top_n").success


def on_top_n() -> list[dg.AssetChecksDefinition]:
    return [c for c in checks if {k.asset_key.path[-1] for k in c.check_keys} == {"top_n"}]


def test_a_run_that_dies_while_filling_leaves_what_is_served(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.engage(days=6)
    recommend()
    served = warehouse.served()

    def die(*_: object) -> None:
        raise ConnectionError("the network is gone")

    monkeypatch.setattr(recsys_top_n, "_labelled", die)
    result = recommend("top_n")
    tables = warehouse.client.query("SHOW TABLES FROM recsys").result_rows

    assert not result.success
    assert warehouse.served() == served
    assert [tuple(row) for row in tables] == [("top_n",)]


class Automation:
    """What the automation conditions ask for, tick by tick."""

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
        for name in ("beats_popularity", "keeps_up_with_champion"):
            key = dg.AssetKey(["recsys", "als"])
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
    assert automation.requested(4, 1) == {"interaction_matrix", "popularity", "als"}
    automation.facts_arrive()
    assert automation.requested(4, 30) == set()


@pytest.mark.parametrize("passed", [True, False])
def test_the_champion_is_asked_for_only_when_the_checks_have_passed(
    automation: Automation, passed: bool
) -> None:
    automation.facts_arrive()
    automation.requested(3)
    automation.made("interaction_matrix", "popularity", "als")
    automation.checked(passed)
    assert automation.requested(4, 1) == ({"champion", "top_n"} if passed else set())
