"""What the project defines is made for a cluster, and ClickHouse's parser takes it.

No cluster runs here: the statements are parsed by `EXPLAIN AST`, not executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from resources.clickhouse.cluster import (
    Cluster,
    ClusterSettingError,
    UnknownDefinitionError,
    cluster_from_environment,
)
from resources.clickhouse.resource import client_of
from social_assets.warehouse.dbt.generated_macros import table_engines
from tests.integration.warehouse.conftest import WarehouseUnderTest

CHECKOUT = Path(__file__).resolve().parents[4]
CLUSTER = Cluster("engagement-1")
_BEGIN = re.compile(r"(CREATE|DROP|ALTER|EXCHANGE|RENAME|TRUNCATE|DELETE FROM|GRANT)\s")
_OTHER_ENGINES = ("control", "ingest", "cli", "serving", "alerts", "lake", "metrics")
"""Rooms whose statements are for SQLite, PostgreSQL or people."""

FILLED = {
    "DATABASE": "d",
    "database": "d",
    "view.database": "d",
    "view.target": "d",
    "view.name": "v",
    "added": "ADD COLUMN x Int8",
    "modified": "MODIFY COLUMN x Int8",
    "', '.join(steps)": "REPLACE PARTITION ID '1' FROM db.staging, DROP PARTITION ID '2'",
    "body": "x Int8",
    "columns": "x Int8",
    "condition": "x",
    "expired": "x",
    "self._expired": "x",
    "kind": "VIEW",
    "self.order": "x",
    "', '.join(contract.key)": "x",
    "', '.join(_KEY)": "x",
    "ENGINE": "MergeTree",
    "_KEY_TYPE": "String",
    "_key_of(*_KEY)": "1",
    "DEDUPLICATION_WINDOW": "10",
    "_quoted(contract.description)": "'it''s'",
    "_SETTINGS": "index_granularity = 256",
    "', '.join(shown)": "x",
    "', '.join(self._grouped)": "x",
    "keyed('platform')": "x",
    "keyed('account_id')": "x",
    "keyed('post_id')": "x",
}
"""What stands for a part of a statement that is no name. A new statement may need one more."""


def _in_sources() -> Iterator[tuple[str, str]]:
    for path in sorted((CHECKOUT / "social_assets").rglob("*.py")):
        if path.relative_to(CHECKOUT / "social_assets").parts[0] in _OTHER_ENGINES:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("client.command"):
                text = _text(node.args[0])
                if text and _BEGIN.match(text):
                    place = f"{path.relative_to(CHECKOUT)}:{node.lineno}"
                    yield place, text


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        str(part.value)
        if isinstance(part, ast.Constant)
        else FILLED.get(ast.unparse(part.value), "db.t")  # type: ignore[attr-defined]
        for part in node.values
    )


def _parses(client: Client, statement: str) -> bool:
    return bool(client.query(f"EXPLAIN AST {statement}").result_rows)


@pytest.mark.parametrize(("place", "statement"), list(_in_sources()), ids=lambda value: value[:60])
def test_each_statement_of_the_sources_is_made_for_a_cluster(
    deployed: WarehouseUnderTest, place: str, statement: str
) -> None:
    statement = re.sub(r"\{(\w+):\w+(\(\w+\))?\}", "1", statement)
    for each in (statement, *CLUSTER.statements(statement)):
        assert _parses(deployed.client, each), place


def test_each_table_and_view_of_a_deployed_warehouse_is_made_for_a_cluster(
    deployed: WarehouseUnderTest,
) -> None:
    made = deployed.client.query(
        "SELECT engine, create_table_query FROM system.tables WHERE database IN\n"
        "('cleaned', 'star', 'rollups', 'features', 'internal', 'text', 'current')"
    ).result_rows
    assert len(made) > 100
    for engine, statement in made:
        [of_cluster] = CLUSTER.statements(statement)
        assert _parses(deployed.client, of_cluster)
        assert 'ON CLUSTER "engagement-1"' in of_cluster
        if engine.endswith("MergeTree"):
            arguments = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
            assert f"Replicated{engine}({arguments}" in of_cluster
            assert "non_replicated" not in of_cluster


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE a.b REPLACE PARTITION '2026-01-01' FROM a.c",
        "ALTER TABLE a.b DROP PARTITION '2026-01-01'",
        "ALTER TABLE a.b REPLACE PARTITION ID '1' FROM a.c, DROP PARTITION ID '2'",
        "ALTER TABLE a.b DELETE WHERE x SETTINGS mutations_sync = 2",
        "DELETE FROM a.b WHERE x",
        "TRUNCATE TABLE a.b SYNC",
        "CREATE TABLE a.b (x String) ENGINE = Memory",
        "INSERT INTO a.b SELECT 1",
        'DROP TABLE IF EXISTS a.b ON CLUSTER "c" SYNC',
    ],
)
def test_what_changes_rows_runs_on_the_replica_that_has_them(statement: str) -> None:
    assert CLUSTER.statements(statement) == (statement,)


def test_an_exchange_waits_for_the_rows_of_both_tables_on_each_replica() -> None:
    assert CLUSTER.statements("EXCHANGE TABLES a.b AND a.c") == (
        'SYSTEM SYNC REPLICA ON CLUSTER "engagement-1" a.b',
        'SYSTEM SYNC REPLICA ON CLUSTER "engagement-1" a.c',
        'EXCHANGE TABLES a.b AND a.c ON CLUSTER "engagement-1"',
    )


def test_insert_tokens_are_remembered_by_keeper_for_a_week() -> None:
    [made] = CLUSTER.statements(
        "CREATE TABLE a.b (x Int8) ENGINE = ReplacingMergeTree(x) ORDER BY x\n"
        "SETTINGS non_replicated_deduplication_window = 10000"
    )
    assert made.endswith(
        "SETTINGS replicated_deduplication_window = 10000, "
        "replicated_deduplication_window_seconds = 604800"
    )
    assert "('/clickhouse/tables/{uuid}/{shard}', '{replica}', x)" in made


@given(st.text(alphabet="ab'\\ ENGINE=MergeTree()", max_size=30))
def test_a_comment_is_no_part_of_the_definition(comment: str) -> None:
    quoted = "'" + comment.replace("\\", "\\\\").replace("'", "\\'") + "'"
    [made] = CLUSTER.statements(
        f"CREATE TABLE a.b (x Int8 COMMENT {quoted}) ENGINE = MergeTree ORDER BY x COMMENT {quoted}"
    )
    assert made.count(quoted) >= 2
    assert made.count("Replicated") == 1
    assert CLUSTER.statements(made) == (made,)


def test_a_statement_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownDefinitionError, match=r"UNDROP is no statement .* add the kind"):
        CLUSTER.statements("UNDROP TABLE a.b")


def test_one_server_has_the_engines_and_settings_that_the_models_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SOCIAL_ASSETS_CLICKHOUSE_CLUSTER", raising=False)
    assert table_engines() == (
        "{% macro engine_of_table(engine) -%}{{ engine }}{%- endmacro %}\n"
        "{% macro deduplication_settings(window) -%}"
        "non_replicated_deduplication_window = {{ window }}{%- endmacro %}\n"
    )


def test_a_cluster_needs_a_name_and_a_server() -> None:
    assert cluster_from_environment({}) is None
    with pytest.raises(ClusterSettingError, match="letters, digits"):
        cluster_from_environment({"SOCIAL_ASSETS_CLICKHOUSE_CLUSTER": 'a"b'})
    with pytest.raises(ClusterSettingError, match="SOCIAL_ASSETS_CLICKHOUSE_URL is not set"):
        cluster_from_environment({"SOCIAL_ASSETS_CLICKHOUSE_CLUSTER": "a"})


def test_a_client_of_a_cluster_sends_definitions_to_all_of_it_and_reads_as_ever(
    deployed: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_CLUSTER", "engagement")
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_URL", deployed.endpoint.url)
    with client_of(deployed.endpoint, "of a cluster") as client:
        assert client.query("SELECT 1, getSetting('insert_quorum')").first_row == (1, "auto")
        with pytest.raises(DatabaseError, match="engagement"):
            client.command("CREATE DATABASE elsewhere")
