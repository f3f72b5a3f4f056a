"""Stores for tests: a lake in a temporary folder, and one embedded ClickHouse for a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.integration.pipeline.killed.killed_worker import Worker
from tests.lake_of_tests import lake_in

REAL_FILES = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseResource]:
    home = Home(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ENVIRONMENT_VARIABLE, str(home.path))
        environment.delenv(URL_VARIABLE, raising=False)
        yield ClickHouseResource()
        stop(home)


@pytest.fixture
def stream(clickhouse: ClickHouseResource, tmp_path: Path) -> Callable[[str], StreamStores]:
    """The stores of a stream by its name, which are empty at first."""
    with clickhouse.client() as client:
        client.command("DROP DATABASE IF EXISTS cleaned SYNC")
    stores = Stores(
        lake_in(tmp_path),
        DuckDBEngine(tmp_path / "spill"),
        clickhouse,
    )
    return lambda name: stores.of(contract(name))


@pytest.fixture
def real_files() -> Path:
    if not REAL_FILES.is_dir():
        pytest.skip(f"the real files are not at {REAL_FILES}")
    return REAL_FILES / "engagement"


@pytest.fixture
def worker(clickhouse: ClickHouseResource) -> Iterator[Worker]:
    """Runs commands in processes, and kills one after some seconds."""
    with clickhouse.client():
        worker = Worker()
    yield worker
    worker.close()
