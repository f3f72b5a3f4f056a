"""Renders the chart with Helm, and validates manifests by Kubernetes' own API with kubeconform.

`make .kubernetes/helm` builds the programs and fetches the API. Belongs here: programs and schemas;
what manifests must say belongs to tests/integration/production.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes_tools.published_schemas import KUBERNETES

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".kubernetes"
KUBERNETES_FILES = ROOT / "docker" / "production" / "kubernetes"
CHART = KUBERNETES_FILES / "chart"
EXAMPLE = KUBERNETES_FILES / "values.example.yaml"
RELEASE, NAMESPACE = "example", "social"

Manifest = Mapping[str, Any]


def require_tools() -> None:
    """Skip the test if Helm is not built; in CI it fails."""
    if not (TOOLS / "helm").exists():
        reason = "no Helm: make .kubernetes/helm"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def render(
    chart: Path = CHART, values: Mapping[str, object] | None = None, example: Path = EXAMPLE
) -> list[Manifest]:
    """The manifests of a release with the example's values, and those given.

    Raises subprocess.CalledProcessError with Helm's reason in `stderr`.
    """
    command = [
        *(str(TOOLS / "helm"), "template", RELEASE, str(chart), "--namespace", NAMESPACE),
        *("--kube-version", KUBERNETES, "--values", str(example), "--values", "-"),
    ]
    printed = subprocess.run(
        command, input=json.dumps(values or {}), capture_output=True, text=True, check=True
    ).stdout
    return [each for each in yaml.safe_load_all(printed) if each]


def problems(manifests: Sequence[Manifest], folder: Path) -> list[str]:
    """What kubeconform finds wrong, strictly: also fields and kinds that the API does not have."""
    schemas = folder / "schemas"
    if not schemas.exists():
        schemas.mkdir()
        for name, schema in _strict_schemas().items():
            (schemas / name).write_text(schema)
    command = [
        *(str(TOOLS / "kubeconform"), "-strict", "-output", "json"),
        *("-schema-location", f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"),
    ]
    text = yaml.safe_dump_all(manifests)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise RuntimeError(f"kubeconform: {done.stderr}")
    found = json.loads(done.stdout).get("resources") or []
    return [f"{each['kind']} {each['name']}: {each['status']} {each['msg']}" for each in found]


@functools.cache
def _strict_schemas() -> dict[str, str]:
    """By file: the schema of each kind, and one file with all that they refer to.

    Named as kubeconform asks for them: kind, group up to its first dot, and version.
    """
    published = json.loads((TOOLS / "swagger.json").read_text())["definitions"]
    files = {"definitions.json": json.dumps({"definitions": _strict(published)})}
    for name, definition in published.items():
        for of in definition.get("x-kubernetes-group-version-kind", ()):
            parts = (of["kind"], of["group"].split(".")[0], of["version"])
            file = "-".join(part.lower() for part in parts if part) + ".json"
            must = _kind_of(of)
            schema = {"allOf": [{"$ref": f"definitions.json#/definitions/{name}"}, must]}
            files[file] = json.dumps(schema)
    return files


def _kind_of(of: Mapping[str, str]) -> dict[str, object]:
    version = "/".join(part for part in (of["group"], of["version"]) if part)
    named = {"apiVersion": {"const": version}, "kind": {"const": of["kind"]}}
    return {"properties": named, "required": ["apiVersion", "kind"]}


def _strict(node: Any) -> Any:
    """The schema with no field beyond those it names; numbers or texts where the API takes both."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "int-or-string":
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    if node.get("type") == "string" and node.get("description", "").startswith("Quantity is"):
        return {"oneOf": [{"type": "string"}, {"type": "number"}]}
    strict = {
        key: _strict(value)
        for key, value in node.items()
        if key not in ("description", "properties")
    }
    if "$ref" in node:
        strict["$ref"] = node["$ref"].replace("#/definitions", "definitions.json#/definitions")
    if "properties" in node:
        # Names of fields, of which one may be `description` or `$ref`.
        named = node["properties"].items()
        strict["properties"] = {name: _strict(schema) for name, schema in named}
    if "properties" in node and "additionalProperties" not in node:
        strict["additionalProperties"] = False
    return strict
