"""The Dagster resource with the embedded server, inside and outside of a run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import Endpoint, running_state
from resources.settings.home import Home


@pytest.fixture(autouse=True)
def environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("SOCIAL_ASSETS_CLICKHOUSE_URL", raising=False)
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", str(home.path))
    yield


def test_the_embedded_server_starts_when_no_url_is_set(home: Home) -> None:
    with ClickHouseResource().client() as client:
        assert client.command("SELECT 1") == 1
    assert running_state(home) is not None


def test_a_url_is_used_as_it_is(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    url = endpoint.url.replace("//", f"//{endpoint.user}:{endpoint.password}@")
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_URL", url)
    assert ClickHouseResource().endpoint() == endpoint


def test_comment_and_settings_go_with_every_query() -> None:
    query = "SELECT getSetting('log_comment'), getSetting('max_block_size')"
    with ClickHouseResource().client(log_comment="run 7 of 'x' & y", max_block_size=7) as client:
        for _ in range(2):
            assert client.query(query).first_row == ("run 7 of 'x' & y", 7)


def test_one_client_serves_several_threads() -> None:
    answers: list[object] = []
    with ClickHouseResource().client() as client:
        threads = [
            threading.Thread(target=lambda: answers.append(client.command("SELECT 1 + sleep(0.2)")))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [1] * 4


def test_a_client_given_back_is_had_by_the_next_who_asks_alike_and_by_nobody_else() -> None:
    clickhouse = ClickHouseResource()
    with clickhouse.client("reused") as first:
        pass
    with clickhouse.client("reused") as second, clickhouse.client("reused") as beside:
        assert second is first
        assert beside is not first
    with clickhouse.client("reused", max_block_size=7) as other:
        assert other is not first


def test_a_client_whose_work_failed_is_had_by_nobody() -> None:
    clickhouse = ClickHouseResource()
    with pytest.raises(ValueError), clickhouse.client("failing") as failed:
        raise ValueError
    with clickhouse.client("failing") as next_one:
        assert next_one is not failed


def test_a_client_outlives_a_server_that_was_killed(home: Home) -> None:
    with ClickHouseResource().client("outliving") as client:
        client.command("SELECT 1")
    killed = running_state(home)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    with ClickHouseResource().client("outliving") as client:
        assert client.command("SELECT 1") == 1


def test_an_asset_gets_a_client_and_the_run_holds_no_password(endpoint: Endpoint) -> None:
    @dg.asset
    def counted(clickhouse: ClickHouseResource) -> int:
        with clickhouse.client(log_comment="counted") as client:
            return int(str(client.command("SELECT 41 + 1")))

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [counted], resources={"clickhouse": ClickHouseResource()}, instance=instance
        )
        assert result.output_for_node("counted") == 42
        (run,) = instance.get_runs()
        events = "".join(str(entry) for entry in instance.all_logs(run.run_id))
        assert endpoint.password not in f"{run.run_config} {events}"
