"""Dagster reads the profiles: local, Docker, Kubernetes."""

from __future__ import annotations

import re
import shutil
import tomllib
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    DagsterRunStatus,
    RunsFilter,
    job,
    op,
)
from dagster._config import process_config
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.instance.config import dagster_instance_config
from dagster._core.run_coordinator import DefaultRunCoordinator, QueuedRunCoordinator
from dagster._core.test_utils import create_run_for_test

from bench.faults.three_brokers import PROPERTIES
from resources.dagster.event_log import BATCH_SIZE, BATCH_SIZE_VARIABLE
from resources.kafka.broker import LARGEST_RECORD_BYTES
from resources.settings.secret_urls import UrlSettingError

DOCKER = Path(__file__).resolve().parents[4] / "docker"
PROFILES = {
    "local": DOCKER / "dagster.yaml",
    "docker": DOCKER / "production" / "dagster.yaml",
    "kubernetes": DOCKER / "production" / "kubernetes" / "chart" / "files" / "dagster.yaml",
}


def places(profile: Path) -> set[str]:
    """The variables with addresses and paths that a profile needs."""
    return set(re.findall(r"env: (\w+)", profile.read_text()))


@pytest.fixture
def environment(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable that the profiles name, and no other of the project."""
    for profile in PROFILES.values():
        for name in places(profile):
            monkeypatch.setenv(name, f"some-{name.lower().replace('_', '-')}")
    monkeypatch.setenv("SOCIAL_ASSETS_DAGSTER_POSTGRES_URL", postgres)


def opened(profile: Path, folder: Path) -> DagsterInstance:
    """The instance of a process whose DAGSTER_HOME has this profile."""
    shutil.copyfile(profile, folder / "dagster.yaml")
    return DagsterInstance.from_config(str(folder))


@op
def nothing() -> None: ...


@job
def empty() -> None:
    nothing()


@pytest.mark.parametrize("name", PROFILES)
def test_dagster_knows_every_setting_of_a_profile(name: str) -> None:
    settings, _ = dagster_instance_config(str(PROFILES[name].parent))
    assert settings["retention"]["sensor"]["purge_after_days"]["skipped"] == 1


def test_a_setting_that_dagster_does_not_know_is_refused(tmp_path: Path) -> None:
    text = PROFILES["local"].read_text() + "\nrun_retention:\n  days: 7\n"
    (tmp_path / "dagster.yaml").write_text(text)
    with pytest.raises(DagsterInvalidConfigError, match="run_retention"):
        dagster_instance_config(str(tmp_path))


def test_the_local_profile_starts_a_run_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with opened(PROFILES["local"], tmp_path) as instance:
        assert isinstance(instance.run_coordinator, DefaultRunCoordinator)
        assert instance.get_settings("sensors") == {"use_threads": True, "num_workers": 8}


@pytest.mark.usefixtures("environment")
def test_production_keeps_runs_and_events_in_postgres_and_queues_runs(tmp_path: Path) -> None:
    from dagster_docker import DockerRunLauncher
    from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage

    with opened(PROFILES["docker"], tmp_path) as instance:
        assert isinstance(instance.run_storage, PostgresRunStorage)
        assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert isinstance(instance.run_launcher, DockerRunLauncher)
        assert instance.run_launcher.image == "some-social-assets-image"
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 12
        create_run_for_test(instance, job_name="empty", status=DagsterRunStatus.STARTED)
        event = AssetMaterialization(["raw", "posts"], partition="2026-11-01")
        instance.report_runless_asset_event(event)

    with opened(PROFILES["docker"], tmp_path) as instance:
        started = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))
        assert [run.job_name for run in started] == ["empty"]
        assert instance.get_materialized_partitions(AssetKey(["raw", "posts"])) == {"2026-11-01"}


@pytest.mark.usefixtures("environment")
def test_a_run_writes_its_events_to_postgres(tmp_path: Path) -> None:
    with opened(PROFILES["docker"], tmp_path) as instance:
        result = empty.execute_in_process(instance=instance)
        assert instance.get_run_by_id(result.run_id).status == DagsterRunStatus.SUCCESS
        assert len(instance.all_logs(result.run_id)) > 5


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", ["docker", "kubernetes"])
def test_production_has_no_fall_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOCIAL_ASSETS_DAGSTER_POSTGRES_URL")
    with pytest.raises(Exception, match="SOCIAL_ASSETS_DAGSTER_POSTGRES_URL"):
        opened(PROFILES[name], tmp_path)


@pytest.mark.usefixtures("environment")
def test_kubernetes_takes_the_same_storage_and_a_launcher_it_accepts(tmp_path: Path) -> None:
    from dagster_k8s import K8sRunLauncher
    from dagster_postgres import PostgresRunStorage

    written = yaml.safe_load(PROFILES["kubernetes"].read_text())["run_launcher"]["config"]
    accepted = process_config(K8sRunLauncher.config_type(), written)
    assert accepted.success, accepted.errors
    assert accepted.value["job_namespace"] == "some-social-assets-k8s-namespace"
    assert not process_config(K8sRunLauncher.config_type(), {**written, "pods": 3}).success
    with opened(PROFILES["kubernetes"], tmp_path) as instance:
        assert isinstance(instance.run_storage, PostgresRunStorage)


def test_the_profiles_of_production_differ_in_their_launcher_alone() -> None:
    docker, kubernetes = (
        {k: v for k, v in yaml.safe_load(PROFILES[name].read_text()).items() if k != "run_launcher"}
        for name in ("docker", "kubernetes")
    )
    assert docker == kubernetes


def test_the_image_is_built_of_its_sources_and_of_nothing_else() -> None:
    root = DOCKER.parent
    lines = (root / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    build = tomllib.loads((root / "pyproject.toml").read_text())
    wheel = build["tool"]["hatch"]["build"]["targets"]["wheel"]
    forced = {Path(path).parts[0] for path in wheel["force-include"]}
    packed = {*wheel["packages"], *forced, build["project"]["readme"]}
    assert sent == packed | {*("pyproject.toml", "requirements.txt", "requirements-production.txt")}
    # A file of secrets with the runbook's name, in any folder, is not in the image.
    assert "**/*.env" in rules[rules.index("!social_assets") :]


def test_the_image_logs_materializations_in_batches_as_commands_do() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    assert f"{BATCH_SIZE_VARIABLE}={BATCH_SIZE} " in text


def test_compose_takes_every_value_from_the_environment_without_a_default() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    taken = re.findall(r"\$\{(\w+)([^}]*)\}", text)
    assert taken
    assert [name for name, rest in taken if not rest.startswith((":?", "?"))] == []
    example = set(re.findall(r"^(\w+)=", (DOCKER / "production/env.example").read_text(), re.M))
    assert {name for name, _ in taken} == example


def test_compose_gives_its_services_every_variable_that_dagster_asks_for() -> None:
    compose: Mapping[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    profile = yaml.safe_load(PROFILES["docker"].read_text())
    passed_on = set(profile["run_launcher"]["config"]["env_vars"])
    wanted = places(PROFILES["docker"]) | places(DOCKER / "production" / "workspace.yaml")
    for service in ("streaming", "batch", "webserver", "daemon"):
        assert wanted | passed_on <= compose["services"][service]["environment"].keys()
    volume = profile["run_launcher"]["config"]["container_kwargs"]["volumes"]
    home = compose["volumes"]["home"]["name"]
    assert volume == [f"{home}:{compose['services']['batch']['environment']['SOCIAL_ASSETS_HOME']}"]


def test_each_service_of_compose_is_started_again_and_says_if_it_is_ready() -> None:
    compose: Mapping[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    brokers = yaml.safe_load((DOCKER / "production" / "three_brokers.yaml").read_text())
    added = {name: brokers["services"][name] for name in ("kafka2", "kafka3")}
    for name, service in {**compose["services"], **added}.items():
        assert service["restart"] == "unless-stopped", name
        # The shipper of logs answers nobody: that it runs is all.
        assert "healthcheck" in service or name == "logs", name


def test_three_brokers_replicate_as_those_of_the_drill() -> None:
    overlay = yaml.safe_load((DOCKER / "production" / "three_brokers.yaml").read_text())
    drill = dict(line.split("=", 1) for line in PROPERTIES.splitlines())
    for service in overlay["services"].values():
        for name in (
            *("default.replication.factor", "min.insync.replicas", "message.max.bytes"),
            *("offsets.topic.replication.factor", "transaction.state.log.replication.factor"),
            *("transaction.state.log.min.isr", "auto.create.topics.enable"),
            *("broker.session.timeout.ms", "broker.heartbeat.interval.ms"),
        ):
            given = str(service["environment"]["KAFKA_" + name.upper().replace(".", "_")])
            assert given == drill[name].format(largest_record=LARGEST_RECORD_BYTES), name


@pytest.mark.parametrize("profile", ["docker", "kubernetes"])
def test_a_malformed_postgres_url_is_refused_without_its_password(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str
) -> None:
    url = "postgresql://dagster:p@ss:hunter2@127.0.0.1:5432/dagster"
    monkeypatch.setenv("SOCIAL_ASSETS_DAGSTER_POSTGRES_URL", url)
    with pytest.raises(UrlSettingError, match="SOCIAL_ASSETS_DAGSTER_POSTGRES_URL") as refused:
        opened(PROFILES[profile], tmp_path)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))
