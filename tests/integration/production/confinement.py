"""What every container of the platform must be denied, on Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.kubernetes_tools.manifests import Manifest

_OF_A_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_OF_A_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
}


def pods(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Any]]:
    """The name and the specification of pods of all workloads."""
    for each in manifests:
        if "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def unconfined(manifests: Sequence[Manifest]) -> list[str]:
    """Each container that may more than it needs, with the settings that it lacks."""
    found = []
    for name, pod in pods(manifests):
        security = pod.get("securityContext", {})
        lacks = _missing(security, _OF_A_POD)
        lacks += [key for key in ("runAsUser", "runAsGroup", "fsGroup") if not security.get(key)]
        lacks += [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
        lacks += [each["name"] for each in pod["volumes"] if "hostPath" in each]
        for container in (*pod["containers"], *(pod.get("initContainers") or ())):
            more = lacks + _missing(container.get("securityContext", {}), _OF_A_CONTAINER)
            if more:
                found.append(f"{name}/{container['name']}: {', '.join(more)}")
    return found


def _missing(found: Any, wanted: dict[str, Any]) -> list[str]:
    return [key for key, value in wanted.items() if found.get(key) != value]
