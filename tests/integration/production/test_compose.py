"""The services of docker/compose.yaml and the containers of runs may no more than they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.kubernetes_tools.manifests import TOOLS, require_tools

DOCKER = Path(__file__).parents[3] / "docker"
OF_THE_PLATFORM = {"streaming", "batch", "webserver", "serving", "logs", "daemon"}
STORES = {"postgres", "clickhouse", "kafka", "kafka2", "kafka3"}
WRITES_ITS_CONFIGURATION = {"clickhouse", "kafka", "kafka2", "kafka3"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """All services, with those that the overlay of three brokers adds."""
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    overlay = yaml.safe_load((DOCKER / "production" / "three_brokers.yaml").read_text())["services"]
    return {**overlay, **compose}


def unconfined(name: str, service: dict[str, Any]) -> list[str]:
    """The settings of security that a service lacks."""
    lacks = []
    if service.get("cap_drop") != ["ALL"] or "cap_add" in service:
        lacks.append("cap_drop")
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        lacks.append("security_opt")
    if name not in WRITES_ITS_CONFIGURATION and not (
        service.get("read_only") is True and service.get("tmpfs")
    ):
        lacks.append("read_only")
    if name not in OF_THE_PLATFORM and service.get("user", "root").split(":")[0] in ("root", "0"):
        lacks.append("user")
    return [*lacks, *(each for each in ("mem_limit", "pids_limit") if not service.get(each))]


def test_every_service_is_confined(services: dict[str, Any]) -> None:
    assert services.keys() == OF_THE_PLATFORM | STORES | {"front"}
    found = {name: unconfined(name, each) for name, each in services.items()}
    assert {name: lacks for name, lacks in found.items() if lacks} == {}


@pytest.mark.parametrize(
    "setting", ["cap_drop", "security_opt", "read_only", "mem_limit", "pids_limit"]
)
def test_a_service_without_a_setting_is_found(setting: str, services: dict[str, Any]) -> None:
    without = {key: value for key, value in services["serving"].items() if key != setting}
    assert unconfined("serving", without) == [setting]


def test_a_service_that_is_root_is_found(services: dict[str, Any]) -> None:
    assert unconfined("front", {**services["front"], "user": "0:0"}) == ["user"]


def test_the_container_of_a_run_is_as_confined_as_a_service() -> None:
    profile = yaml.safe_load((DOCKER / "production" / "dagster.yaml").read_text())
    assert unconfined("streaming", profile["run_launcher"]["config"]["container_kwargs"]) == []


def test_what_people_reach_over_http_reaches_no_store(services: dict[str, Any]) -> None:
    assert services["front"]["networks"] == ["front"]
    both = {name for name, each in services.items() if "front" in each.get("networks", ())}
    assert both == {"front", "serving"}
    assert all("networks" not in services[name] for name in STORES)


def test_ports_are_open_on_loopback_alone(services: dict[str, Any]) -> None:
    for name, each in services.items():
        assert all(port.startswith("127.0.0.1:") for port in each.get("ports", ())), name


@pytest.mark.kubernetes
@pytest.mark.parametrize("file", ["compose.yaml", "production/three_brokers.yaml"])
def test_compose_knows_every_field(file: str) -> None:
    require_tools()
    schema = json.loads((TOOLS / "compose-spec.json").read_text())
    written = yaml.safe_load((DOCKER / file).read_text())
    jsonschema.validate(written, schema)
    service = next(iter(written["services"].values()))
    service["read_onli"] = True
    with pytest.raises(jsonschema.ValidationError, match="read_onli"):
        jsonschema.validate(written, schema)
