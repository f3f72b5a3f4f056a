"""A warehouse on the embedded ClickHouse, and runs of the recommenders on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dagster as dg
import pytest

from resources.clickhouse.resource import URL_VARIABLE, connect
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.defs.recommenders.assets import EVERY_DAY
from tests.integration.recommend.recommender_runs import Recommend, Warehouse, definitions


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    home = Home(tmp_path_factory.mktemp("clickhouse_home"))
    yield ensure_running(home)
    stop(home)


@pytest.fixture
def artifacts(tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for the test, with the server that all tests share."""
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


@pytest.fixture
def recommend(artifacts: Path) -> Iterator[Recommend]:
    """Run the group or a selection of it, like its job."""
    with dg.DagsterInstance.ephemeral() as instance:

        def run(*selected: str, **config: dict[str, Any]) -> dg.ExecuteInProcessResult:
            selection = dg.AssetSelection.assets(*EVERY_DAY)
            if selected:
                keys = [["recsys", name] for name in selected]
                selection = dg.AssetSelection.assets(*keys)
                if selected != ("explored_items",):  # which reports its check itself
                    selection = selection.without_checks()
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
