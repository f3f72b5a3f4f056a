"""The job of a run, as Dagster's launcher makes it of the chart's dagster.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterRun
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import DagsterK8sJobConfig, construct_dagster_k8s_job
from kubernetes.client import ApiClient

from resources.dagster.kubernetes_launcher import KubernetesLauncher
from tests.integration.production.confinement import unconfined
from tests.kubernetes_tools.manifests import NAMESPACE, RELEASE, problems, render, require_tools

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def data() -> Mapping[str, Any]:
    """The data of the chart's ConfigMaps, by name."""
    require_tools()
    return {
        each["metadata"]["name"].removeprefix(f"{RELEASE}-"): each["data"]
        for each in render()
        if each["kind"] == "ConfigMap"
    }


@pytest.fixture
def job(data: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The manifest of a run's job. Nothing is asked of a cluster."""
    for name, value in data["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", "/opt/dagster")
    written = yaml.safe_load(data["instance"]["dagster.yaml"])["run_launcher"]["config"]
    accepted = process_config(K8sRunLauncher.config_type(), written)
    assert accepted.success, accepted.errors
    monkeypatch.setattr("dagster_k8s.launcher.load_kubernetes_config", lambda **_: None)
    launcher = KubernetesLauncher.from_config_value(None, accepted.value)
    run = DagsterRun("load")
    context = K8sContainerContext.create_for_run(run, launcher, include_run_tags=False)
    config = context.get_k8s_job_config(job_image=None, run_launcher=launcher)
    assert isinstance(config, DagsterK8sJobConfig)
    made = construct_dagster_k8s_job(
        config,
        ["dagster", "api", "execute_run"],
        "dagster-run-1",
        user_defined_k8s_config=context.run_k8s_config,
        component="run_worker",
    )
    return ApiClient().sanitize_for_serialization(made)


def test_kubernetes_knows_every_field_of_a_runs_job(job: Any, tmp_path: Path) -> None:
    assert problems([job], tmp_path) == []


def test_a_run_may_no_more_than_a_server(job: Any) -> None:
    assert unconfined([job]) == []
    pod = job["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == f"{RELEASE}-server"
    [container] = pod["containers"]
    assert container["resources"]["limits"]["memory"] == "3Gi"


def test_a_run_has_the_home_the_settings_and_the_secrets_of_a_server(job: Any) -> None:
    deployment = next(
        each
        for each in render()
        if each["kind"] == "Deployment" and each["metadata"]["name"] == f"{RELEASE}-batch"
    )
    server = deployment["spec"]["template"]["spec"]
    run = job["spec"]["template"]["spec"]
    [of_server], [of_run] = server["containers"], run["containers"]
    assert of_run["image"] == of_server["image"]
    for source in of_server["envFrom"]:
        assert source in of_run["envFrom"]
    mounted = {each["mountPath"]: each.get("subPath") for each in of_run["volumeMounts"]}
    assert mounted == {each["mountPath"]: each.get("subPath") for each in of_server["volumeMounts"]}
    claims = [each for each in run["volumes"] if "persistentVolumeClaim" in each]
    assert claims == [each for each in server["volumes"] if "persistentVolumeClaim" in each]
    assert run["affinity"] == server["affinity"]


def test_the_network_policies_choose_the_pods_of_runs(job: Any) -> None:
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert labels["social-assets/part"] == "run"
    assert labels["app.kubernetes.io/instance"] == RELEASE


def test_runs_are_launched_in_the_namespace_of_the_release(data: Mapping[str, Any]) -> None:
    assert data["environment"]["SOCIAL_ASSETS_K8S_NAMESPACE"] == NAMESPACE
    assert data["environment"]["SOCIAL_ASSETS_K8S_SERVICE_ACCOUNT"] == f"{RELEASE}-server"
