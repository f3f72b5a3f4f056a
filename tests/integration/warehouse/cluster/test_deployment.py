"""All statements of a deployment, a load and a backfill, as a cluster would get them.

Collected where they arrive, so that dbt's own and new ones are among them. No cluster runs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.httpclient import HttpClient

from resources.clickhouse.cluster import CLUSTER_VARIABLE
from resources.clickhouse.resource import URL_VARIABLE, client_of, connect, endpoint_of_url
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.dbt.project import (
    Days,
    dbt_arguments,
    dbt_environment,
    run_dbt,
)
from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.loader import Loader
from tests.integration.warehouse.cluster.stand_in import NAME, of_one_server, recorded
from tests.integration.warehouse.conftest import Row, arrow_rows, at

_DEFINES = re.compile(r"\s*(CREATE|DROP|ALTER|RENAME|EXCHANGE|TRUNCATE|GRANT)\s", re.IGNORECASE)
_OF_ROWS = re.compile(
    r"\s*ALTER\s+TABLE\s+\S+\s+((REPLACE|DROP|ATTACH)\s+PARTITION|DELETE\s+WHERE)", re.IGNORECASE
)
_FORMAT = re.compile(r"\s+FORMAT\s+Native\s*\Z")
_DAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Endpoint]]:
    home = Home(tmp_path_factory.mktemp("cluster"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
        patch.delenv(URL_VARIABLE, raising=False)
        endpoint = ensure_running(home)
        try:
            yield home, endpoint
        finally:
            stop(home)


@pytest.fixture(scope="module")
def of_cluster(server: tuple[Home, Endpoint]) -> Iterator[list[str]]:
    """The statements of a deployment, loads and a backfill, with the cluster's name set."""
    home, endpoint = server
    with recorded(endpoint) as (url, statements), pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL_VARIABLE, url)
        patch.setenv(CLUSTER_VARIABLE, NAME)
        use(home, endpoint_of_url(url))
        yield statements


def use(home: Home, endpoint: Endpoint) -> None:
    """Deploy the warehouse, load rows, replace a day and the whole table, and rebuild a day."""
    deploy_warehouse(endpoint, home)
    stream = contract("engagement_events")
    loader = Loader(_Clickhouse(endpoint), stream)
    loader.prepare()
    row: Row = {"event_time": at("2026-01-01 10:00")}
    loader.insert("batch-1", arrow_rows(stream, [row], "batch-1"))
    loader.replace_days([_DAY], arrow_rows(stream, [row], "batch-1"))
    loader.replace_all(arrow_rows(stream, [row], "batch-1"))
    deploy_warehouse(endpoint, home)
    project = Warehouse.of(home)
    models = [
        name
        for layer in ("star", "rollups", "features")
        for name in project.models(set(project.upstream(layer)))
    ]
    arguments = dbt_arguments("run", models, days=Days(_DAY, _DAY))
    run_dbt(project.dbt, arguments, dbt_environment(endpoint, "test", 2), home.logs)


class _Clickhouse:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def client(self, log_comment: str | None = None):  # type: ignore[no-untyped-def]
        return client_of(self.endpoint, log_comment)


def definitions(statements: list[str]) -> list[str]:
    """The statements that define, without the format of answers that clients append."""
    found = dict.fromkeys(_FORMAT.sub("", each) for each in statements)
    return [each for each in found if _DEFINES.match(_uncommented(each))]


def _uncommented(statement: str) -> str:
    return re.sub(r"\A(\s*/\*.*?\*/)+", "", statement, flags=re.DOTALL)


def test_whatever_changes_structure_is_made_on_the_cluster(of_cluster: list[str]) -> None:
    made = definitions(of_cluster)
    assert len(made) > 100
    missing = [
        each
        for each in made
        if f'ON CLUSTER "{NAME}"' not in each and not _OF_ROWS.match(_uncommented(each))
    ]
    assert missing == []


def test_all_tables_are_replicated_and_remember_tokens_in_keeper(of_cluster: list[str]) -> None:
    for each in definitions(of_cluster):
        engines = re.findall(r"engine\s*=\s*(\w*MergeTree\(.{35})", each, re.IGNORECASE)
        assert all(
            re.match(r"Replicated\w*MergeTree\('/clickhouse/tables/\{uuid\}/\{sh", engine)
            for engine in engines
        ), each
        assert not re.search(r"engine\s*=\s*(?!Replicated)\w*MergeTree", each, re.IGNORECASE), each
        assert "non_replicated_deduplication_window" not in each, each


def test_dbt_s_and_the_loaders_statements_are_among_them(of_cluster: list[str]) -> None:
    text = "\n".join(definitions(of_cluster)).lower()
    for kind in (
        "create materialized view",
        "create or replace view",
        "replace partition",
        "exchange tables",
        "__staging",
        "create database",
    ):
        assert kind in text, kind


def test_the_parser_of_clickhouse_takes_them_in_both_forms(
    server: tuple[Home, Endpoint], of_cluster: list[str]
) -> None:
    with client_of(server[1], "parses") as client:
        for each in definitions(of_cluster):
            for form in (each, of_one_server(each)):
                assert parsed(client, _uncommented(form)), form


def test_one_server_gets_them_without_a_word_of_a_cluster(
    server: tuple[Home, Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, endpoint = server
    monkeypatch.delenv(CLUSTER_VARIABLE, raising=False)
    with recorded(endpoint) as (url, statements):
        monkeypatch.setenv(URL_VARIABLE, url)
        assert type(connect(endpoint_of_url(url))) is HttpClient
        use(home, endpoint_of_url(url))
    assert definitions(statements)
    for each in statements:
        assert of_one_server(each) == each


def parsed(client: Client, statement: str) -> bool:
    # `command`, since `query` appends a format, which not every definition takes behind it.
    return bool(client.command(f"EXPLAIN AST {statement.rstrip().rstrip(';')}"))
