"""Dagster's launcher of a process a run, which also knows if the processes are alive.

Belongs here: what Dagster's own launcher lacks. Without a queue, the UI's Materialize dialog warns
about "the default run launcher", which it recognizes by the class's name. The warning is about
backfills that start a process for each partition; our assets take a range of days in one run.

A code server reports a run as failed whose process ends; if the code server is killed too, nobody
does. So Dagster's monitor asks this launcher.
"""

from __future__ import annotations

from dagster import DagsterRun, DefaultRunLauncher

from resources.dagster.cli_run_lock import CheckRunHealthResult, KnowsCommands, WorkerStatus
from resources.machine.processes import has_worker_of
from resources.settings.home import ENVIRONMENT_VARIABLE, Home

GONE = "no process of a run is alive on this machine: it was killed together with its code server"


class _Processes(DefaultRunLauncher):
    """Runs in processes of this machine, which the code server starts."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Dagster's monitor asks about each running run."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:  # noqa: ARG002 - Dagster's
        """Whether any run's process is alive: which run it executes, the system does not tell.

        While one is alive, a lost run is not found; it is when that one has ended.
        """
        if has_worker_of(ENVIRONMENT_VARIABLE, str(Home.from_environment().path)):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, GONE)


class LocalLauncher(KnowsCommands, _Processes):
    """Runs in processes of this machine, and runs of commands."""
