"""Dagster's launcher of a container a run, which knows that runs of commands have none.

A module of its own, since it needs `dagster_docker`. `docker/production` names its class.
"""

from __future__ import annotations

from dagster_docker import DockerRunLauncher

from resources.dagster.cli_run_lock import KnowsCommands


class DockerLauncher(KnowsCommands, DockerRunLauncher):
    """Dagster's launcher, with the health check for runs of commands."""
