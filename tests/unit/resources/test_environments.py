"""Kinds of installation: which have default addresses, and which settings the others need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.clickhouse import resource as clickhouse
from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.settings import KafkaSettings
from resources.settings.environments import (
    VARIABLE,
    EnvironmentSettingsError,
    current,
    require_complete,
)
from resources.settings.home import Home
from resources.settings.variables import PREFIX, SETTINGS, hidden
from social_assets.defs.stores import StoresResource

pytestmark = pytest.mark.endurance

CHECKOUT = Path(__file__).resolve().parents[3]
ADDRESSES = {
    "SOCIAL_ASSETS_HOME": "/srv/home",
    "SOCIAL_ASSETS_LAKE_URL": "s3://bucket/lake",
    "SOCIAL_ASSETS_CLICKHOUSE_URL": "https://u:p@clickhouse:8443",
    "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL": "postgresql://u:p@postgres/dagster",
    "SOCIAL_ASSETS_CONTROL_URL": "postgresql://u:p@postgres/control",
}


@pytest.fixture(params=["staging", "production"])
def deployed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(VARIABLE, request.param)
    return str(request.param)


def test_without_a_name_the_environment_is_local_and_lacks_nothing() -> None:
    assert current({}) == "local"
    require_complete({})


def test_a_deployed_environment_lists_all_that_lacks_at_once(deployed: str) -> None:
    with pytest.raises(EnvironmentSettingsError, match=deployed) as error:
        require_complete()
    assert [name for name in ADDRESSES if name not in str(error.value)] == []


@pytest.mark.parametrize("lacking", ADDRESSES)
def test_one_address_that_lacks_is_enough(lacking: str) -> None:
    environment = {VARIABLE: "production", **ADDRESSES}
    require_complete(environment)
    del environment[lacking]
    with pytest.raises(EnvironmentSettingsError, match=lacking):
        require_complete(environment)


@pytest.mark.parametrize(
    "ask",
    [
        ClickHouseResource().endpoint,
        StoresResource(clickhouse=ClickHouseResource()).stores,
        KafkaSettings.from_environment,
        Home.from_environment,
    ],
    ids=["clickhouse", "lake", "kafka", "home"],
)
def test_nothing_falls_back_where_it_is_deployed(deployed: str, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(EnvironmentSettingsError):
        ask()


@pytest.mark.parametrize(
    ("lacking", "ask"),
    [
        ("SOCIAL_ASSETS_CLICKHOUSE_URL", ClickHouseResource().endpoint),
        ("SOCIAL_ASSETS_LAKE_URL", StoresResource(clickhouse=ClickHouseResource()).stores),
        ("SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS", KafkaSettings.from_environment),
        ("SOCIAL_ASSETS_HOME", Home.from_environment),
    ],
)
def test_one_address_that_lacks_is_not_made_up_for_by_the_others(
    lacking: str, ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(home: Home) -> None:
        pytest.fail("an embedded ClickHouse would be started")

    monkeypatch.setattr(clickhouse, "ensure_running", start)
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(VARIABLE, "production")
    monkeypatch.delenv(lacking)
    with pytest.raises(EnvironmentSettingsError, match=lacking):
        ask()


@pytest.mark.parametrize("location", ["streaming", "batch"])
def test_definitions_of_a_deployed_environment_do_not_load_without_their_addresses(
    location: str,
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            f"from social_assets.locations.{location} import defs; defs()",
        ],
        env={**kept, VARIABLE: "production", "SOCIAL_ASSETS_HOME": "/srv/home"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = done.stderr.rpartition("which falls back to nothing")[2]
    lacking = [name for name in ADDRESSES if name in said]
    assert lacking == [name for name in ADDRESSES if name != "SOCIAL_ASSETS_HOME"]


def test_tests_name_their_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOCIAL_ASSETS_HOME", raising=False)
    monkeypatch.setenv(VARIABLE, "test")
    with pytest.raises(EnvironmentSettingsError, match="SOCIAL_ASSETS_HOME"):
        Home.from_environment()


def test_the_register_holds_every_variable_that_the_sources_read() -> None:
    folders = ("social_assets", "resources", "sensors", "recsys", "docker", "dbt")
    read = {
        name
        for folder in folders
        for path in (CHECKOUT / folder).rglob("*")
        if path.suffix in {".py", ".yaml", ".yml", ".example", ".sql"}
        for name in re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", path.read_text())
        if "__" not in name
    }
    prefixes = {"SOCIAL_ASSETS_KAFKA", "SOCIAL_ASSETS_CLICKHOUSE"}
    assert sorted(read - set(SETTINGS) - prefixes) == []


def test_secrets_are_hidden_in_texts() -> None:
    environment = {
        "SOCIAL_ASSETS_CLICKHOUSE_URL": "http://me:p%40ssword@host:8123",
        "SOCIAL_ASSETS_KAFKA_SASL_PASSWORD": "kafka-secret",
        "SOCIAL_ASSETS_CAPTURE_URL": "postgresql://me:capture-secret@host/shop",
        "SOCIAL_ASSETS_CAPTURE_URL__SHOP": "postgresql://me:shop-secret@host/shop",
        "SOCIAL_ASSETS_ALERT_URLS__ERROR": "slack://T00/B00/slack-secret",
        "SOCIAL_ASSETS_ALERT_URLS__WARN": "mailtos://me:m%40il@example.org",
        "HOME": "/root",
    }
    text = "p@ssword p%40ssword kafka-secret slack-secret m%40il m@il at host:8123 in /root"
    assert hidden(text, environment) == "*** *** *** *** *** *** at host:8123 in /root"
    assert hidden("capture-secret, shop-secret", environment) == "***, ***"
