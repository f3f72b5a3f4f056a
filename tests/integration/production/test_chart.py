"""The Helm chart renders to manifests that Kubernetes knows, and that allow what is needed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.production.confinement import pods, unconfined
from tests.kubernetes_tools.manifests import (
    CHART,
    EXAMPLE,
    RELEASE,
    Manifest,
    problems,
    render,
    require_tools,
)

pytestmark = pytest.mark.kubernetes

PARTS = {"streaming", "batch", "webserver", "daemon", "serving", "webhooks", "logs"}
CALLED = {"webserver": 3000, "serving": 8080, "webhooks": 8090}


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    require_tools()


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return render()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubernetes")


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Any]:
    """By its name without that of the release."""
    return {
        each["metadata"]["name"].removeprefix(f"{RELEASE}-"): each
        for each in manifests
        if each["kind"] == kind
    }


def changed(tmp_path: Path, file: str, text: str, by: str) -> Path:
    """A copy of the chart in which a text of a file is another one."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    found = (chart / file).read_text()
    assert text in found
    (chart / file).write_text(found.replace(text, by))
    return chart


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"home": {"existingClaim": "mine", "accessMode": "ReadWriteMany"}},
        {"webhooks": {"enabled": False}, "ingress": {"enabled": False}},
        {"image": {"pullSecrets": [{"name": "registry"}]}, "serving": {"replicas": 1}},
    ],
    ids=["example", "existing claim", "least", "registry"],
)
def test_kubernetes_knows_every_field_of_every_manifest(values: Any, folder: Path) -> None:
    rendered = render(values=values)
    assert len(rendered) > 20
    assert problems(rendered, folder) == []
    assert unconfined(rendered) == []


@pytest.mark.parametrize(
    ("text", "by", "reason"),
    [
        ("containers:", "conteiners:", "missing properties: 'containers'"),
        ("imagePullPolicy:", "imagePullPolice:", "imagePullPolice"),
        ("replicas: {{", "replicas: two{{", "replicas"),
        ("apiVersion: apps/v1", "apiVersion: apps/v3", "could not find schema"),
    ],
)
def test_a_field_that_kubernetes_does_not_know_is_found(
    text: str, by: str, reason: str, tmp_path: Path
) -> None:
    found = problems(render(changed(tmp_path, "templates/_pod.tpl", text, by)), tmp_path)
    assert found and all(reason in each for each in found)


@pytest.mark.parametrize(
    "line",
    [
        "allowPrivilegeEscalation: false\n",
        "readOnlyRootFilesystem: true\n",
        "capabilities: {drop: [ALL]}\n",
        "seccompProfile: {type: RuntimeDefault}\n",
        "runAsUser: 10001\n",
    ],
)
def test_a_container_without_a_setting_of_security_is_found(line: str, tmp_path: Path) -> None:
    found = unconfined(render(changed(tmp_path, "templates/_pod.tpl", line, "")))
    setting = line.partition(":")[0]
    assert len(found) == len(PARTS)
    assert all(setting in each for each in found)


def test_a_container_that_may_be_root_is_found(tmp_path: Path) -> None:
    without = changed(tmp_path, "templates/_pod.tpl", "runAsNonRoot: true\n", "")
    assert all("runAsNonRoot" in each for each in unconfined(render(without)))
    assert len(unconfined(render(without))) == len(PARTS)


def test_every_part_of_the_platform_is_there_once_or_by_its_replicas(
    manifests: list[Manifest],
) -> None:
    deployments = of_kind(manifests, "Deployment")
    assert deployments.keys() == PARTS
    for name, each in deployments.items():
        several = name in ("serving", "webhooks")
        assert each["spec"]["replicas"] == (2 if several else 1)
        assert each["spec"]["strategy"]["type"] == ("RollingUpdate" if several else "Recreate")
    assert of_kind(manifests, "PodDisruptionBudget").keys() == {"serving", "webhooks"}
    assert of_kind(manifests, "Service").keys() == PARTS - {"daemon", "logs"}


def test_every_server_that_answers_has_probes_and_all_have_limits(
    manifests: list[Manifest],
) -> None:
    for name, pod in pods(manifests):
        [container] = pod["containers"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name
        # The shipper of logs answers nobody.
        assert name.endswith("-logs") or {"readinessProbe", "livenessProbe"} <= container.keys()
        sizes = [volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume]
        assert all("sizeLimit" in size for size in sizes), name


def test_services_find_their_pods_at_ports_that_these_open(manifests: list[Manifest]) -> None:
    deployments = of_kind(manifests, "Deployment")
    for name, service in of_kind(manifests, "Service").items():
        template = deployments[name]["spec"]["template"]
        assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        ports = {port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} == ports
    [ingress] = of_kind(manifests, "Ingress").values()
    for rule in ingress["spec"]["rules"]:
        backend = rule["http"]["paths"][0]["backend"]["service"]
        name = backend["name"].removeprefix(f"{RELEASE}-")
        assert backend["port"]["number"] == CALLED[name]


def allowed(policies: dict[str, Any], part: str, direction: str) -> Iterator[Any]:
    """The rules of all policies for a part."""
    for policy in policies.values():
        chosen = policy["spec"]["podSelector"]
        one = chosen["matchLabels"].get("social-assets/part")
        some = [each["values"] for each in chosen.get("matchExpressions", ())]
        if one == part or any(part in values for values in some):
            yield from policy["spec"].get(direction, ())


def test_what_is_not_allowed_in_the_network_is_denied(manifests: list[Manifest]) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    nothing = policies["nothing"]["spec"]
    assert nothing == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/instance": RELEASE}},
        "policyTypes": ["Ingress", "Egress"],
    }
    for policy in policies.values():
        for direction, who in (("ingress", "from"), ("egress", "to")):
            rules = policy["spec"].get(direction, ())
            assert all(rule[who] and rule["ports"] for rule in rules), policy["metadata"]["name"]


@pytest.mark.parametrize(
    ("part", "called", "calls"),
    [
        ("streaming", {4000}, {53, 443, 5432, 8123, 9092}),
        ("batch", {4000}, {53, 443, 5432, 8123, 9092}),
        ("webserver", {3000}, {53, 443, 4000, 5432, 6443, 8123, 9092}),
        ("daemon", set(), {53, 443, 4000, 5432, 6443, 8123, 9092}),
        ("serving", {8080}, {53, 443, 5432, 8123, 9092}),
        ("webhooks", {8090}, {53, 5432, 9092}),
        ("logs", set(), {53, 8123}),
        ("run", set(), {53, 443, 5432, 8123, 9092}),
    ],
)
def test_who_talks_to_whom(
    part: str, called: set[int], calls: set[int], manifests: list[Manifest]
) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    for direction, ports in (("ingress", called), ("egress", calls)):
        rules = allowed(policies, part, direction)
        assert {port["port"] for rule in rules for port in rule["ports"]} == ports, direction


def test_a_store_that_is_not_named_is_not_reached() -> None:
    policies = of_kind(render(values={"network": {"kafka": {"peers": []}}}), "NetworkPolicy")
    assert "to-kafka" not in policies and "to-redis" not in policies


def test_only_daemon_and_webserver_may_ask_kubernetes_and_only_for_runs(
    manifests: list[Manifest],
) -> None:
    deployments = of_kind(manifests, "Deployment")
    with_token = {
        name
        for name, each in deployments.items()
        if each["spec"]["template"]["spec"]["automountServiceAccountToken"]
    }
    assert with_token == {"webserver", "daemon"}
    for name, each in deployments.items():
        account = each["spec"]["template"]["spec"]["serviceAccountName"]
        assert account == f"{RELEASE}-{'launcher' if name in with_token else 'server'}"
    [binding] = of_kind(manifests, "RoleBinding").values()
    assert [subject["name"] for subject in binding["subjects"]] == [f"{RELEASE}-launcher"]
    [role] = of_kind(manifests, "Role").values()
    asked = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert asked == {"jobs", "jobs/status", "pods", "pods/log", "events"}
    assert "*" not in {verb for rule in role["rules"] for verb in rule["verbs"]}


def test_secrets_are_only_referred_to(manifests: list[Manifest]) -> None:
    assert of_kind(manifests, "Secret") == {}
    for name, pod in pods(manifests):
        [container] = pod["containers"]
        assert {"secretRef": {"name": "social-assets"}} in container["envFrom"]
        named = {each["name"] for each in container["env"]}
        opened = name.endswith(("-webserver", "-serving"))
        assert ("SOCIAL_ASSETS_UI_TOKEN" in named) == opened, name


@pytest.mark.parametrize(
    "values",
    [
        {"environment": {"SOCIAL_ASSETS_CLICKHOUSE_URL": "http://a:secret@clickhouse:8123"}},
        {"secrets": {"platform": ""}},
        {"image": {"name": "registry.example.com/social-assets:latest"}},
        {"image": {"name": "registry.example.com/social-assets"}},
        {"network": {"callers": []}},
        {"network": {"clickhouse": {"peers": []}}},
        {"ingress": {"tlsSecret": ""}},
        {"home": {"accessMode": "ReadWriteOncePod"}},
        {"webserver": {"replicas": 2}},
    ],
    ids=lambda values: next(iter(values)),
)
def test_values_that_would_be_unsafe_are_refused(values: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(values=values)
    assert next(iter(values)) in refused.value.stderr


def test_pods_of_a_volume_of_one_node_run_on_one_node(manifests: list[Manifest]) -> None:
    deployments = of_kind(manifests, "Deployment").values()
    for each in deployments:
        template = each["spec"]["template"]
        [term] = template["spec"]["affinity"]["podAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        wanted = term["labelSelector"]["matchLabels"]
        assert wanted.items() <= template["metadata"]["labels"].items()
        assert term["topologyKey"] == "kubernetes.io/hostname"
    many = render(values={"home": {"accessMode": "ReadWriteMany"}})
    assert not any("affinity" in pod for _, pod in pods(many))


def test_a_changed_setting_starts_the_pods_anew(manifests: list[Manifest]) -> None:
    def told(rendered: list[Manifest]) -> set[str]:
        each = of_kind(rendered, "Deployment").values()
        return {
            one["spec"]["template"]["metadata"]["annotations"]["social-assets/settings"]
            for one in each
        }

    other = render(values={"environment": {"SOCIAL_ASSETS_LOG_LEVEL": "DEBUG"}})
    assert len(told(manifests)) == 1
    assert told(manifests).isdisjoint(told(other))


def test_the_example_gives_what_the_chart_leaves_empty() -> None:
    example = yaml.safe_load(EXAMPLE.read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert example["environment"].keys() >= defaults["environment"].keys()
