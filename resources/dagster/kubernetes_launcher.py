"""Dagster's launcher of a job of Kubernetes a run, which knows that runs of commands have none.

A module of its own, since it needs `dagster_k8s`. `docker/production` names its class.
"""

from __future__ import annotations

from dagster_k8s import K8sRunLauncher

from resources.dagster.cli_run_lock import KnowsCommands


class KubernetesLauncher(KnowsCommands, K8sRunLauncher):
    """Dagster's launcher, with the health check for runs of commands."""
