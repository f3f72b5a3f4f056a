"""Variables of the environment and run config set the limits of DuckDB."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import Definitions, job, op

from resources.clickhouse.resource import ClickHouseResource
from resources.duckdb.resource import EngineResource
from resources.settings.home import ENVIRONMENT_VARIABLE
from resources.settings.variables import ENGINE_MEMORY, ENGINE_SPILL, ENGINE_THREADS
from social_assets.defs.installation import in_installation
from social_assets.defs.stores import StoresResource

SETTINGS = ("memory_limit", "threads", "temp_directory")
QUERY = "SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    for name in (ENGINE_MEMORY, ENGINE_THREADS, ENGINE_SPILL):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def settings_of_duckdb(stores: StoresResource | None = None) -> tuple[object, ...]:
    stores = stores or StoresResource(clickhouse=ClickHouseResource())
    with stores.stores().engine.session() as session:
        (found,) = session.connection.sql(QUERY).fetchall()
    row: tuple[object, ...] = found
    return row


def test_without_variables_the_engine_has_its_defaults(home: Path) -> None:
    assert settings_of_duckdb() == ("610.3 MiB", 2, str(home / "spill"))


def test_the_variables_reach_duckdb(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spill = home / "another disk" / "spill"
    monkeypatch.setenv(ENGINE_MEMORY, "256MiB")
    monkeypatch.setenv(ENGINE_THREADS, "3")
    monkeypatch.setenv(ENGINE_SPILL, str(spill))
    assert settings_of_duckdb() == ("256.0 MiB", 3, str(spill))
    assert spill.is_dir()


@pytest.mark.parametrize(
    ("name", "value"),
    [(ENGINE_MEMORY, "much"), (ENGINE_MEMORY, "640"), (ENGINE_THREADS, "0"), (ENGINE_THREADS, "x")],
)
def test_a_value_that_is_none_is_refused_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name) as refused:
        settings_of_duckdb()
    assert value in str(refused.value)


def test_run_config_reaches_duckdb() -> None:
    found: list[tuple[object, ...]] = []

    @op
    def ask(stores: StoresResource) -> None:
        found.append(settings_of_duckdb(stores))

    @job
    def asking() -> None:
        ask()

    run = in_installation(lambda: Definitions(jobs=[asking])).resolve_job_def("asking")
    settings = {"memory_limit": "256MiB", "threads": 1}
    config = {"duckdb": {"config": {"connection_config": settings}}}
    assert run.execute_in_process(run_config={"resources": config}).success
    assert run.execute_in_process().success
    assert [row[:2] for row in found] == [("256.0 MiB", 1), ("610.3 MiB", 2)]


def test_an_asset_that_asks_for_duckdb_gets_the_settings_of_the_engine(home: Path) -> None:
    with EngineResource().get_connection() as connection:
        assert connection.sql(QUERY).fetchall() == [("610.3 MiB", 2, str(home / "spill"))]
