"""Dagster's launcher of a job of Kubernetes a run, which knows that runs of commands have none.

Dagster's monitor asks it every 30 s after each run under way, and fails those without a job:
`social-assets load` in a container of the installation would be failed while it works.
`docker/production` names this class.
"""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.launcher.base import CheckRunHealthResult
from dagster_k8s import K8sRunLauncher

from resources.command_runs import health_of_command
from resources.home import Home


class KubernetesLauncher(K8sRunLauncher):
    """As it is, but for runs of commands, which live as long as their process."""

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether who works on the run is still there."""
        command = health_of_command(Home.from_environment(), run.run_id)
        return command or super().check_run_worker_health(run)
