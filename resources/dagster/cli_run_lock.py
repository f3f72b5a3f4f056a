"""The lock of a run of the command line: a file that the command's process keeps locked.

The operating system releases the lock when the process ends. Belongs here: where the file is,
whether it is locked, and the base class of the production launchers, which must not report such a
run as one that lost its container. Taking the lock, and ending the runs of dead processes, belongs
to `operate.runs.cli_run_lock`.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from dagster import DagsterRun

# Dagster does not export these: the monitor's question to a launcher, and the answer.
from dagster._core.launcher.base import CheckRunHealthResult, RunLauncher, WorkerStatus

from resources.settings.home import Home

__all__ = [
    "ABANDONED",
    "CheckRunHealthResult",
    "KnowsCommands",
    "WorkerStatus",
    "health_of_command",
    "mark_of",
]

ABANDONED = "the command that ran it was killed; run the command again"


def mark_of(home: Home, run_id: str) -> Path:
    """The file that the process of a command's run keeps locked."""
    return home.path / "locks" / f"{run_id}.run"


def health_of_command(home: Home, run_id: str) -> CheckRunHealthResult | None:
    """Whether the command that executes a run is alive; None if no command executes it."""
    try:
        mark = mark_of(home, run_id).open()
    except FileNotFoundError:
        return None
    with mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, ABANDONED)


class KnowsCommands(RunLauncher):
    """A mix-in for Dagster's launchers: a run of the command line lives as long as its process.

    Every 30 s, Dagster's monitor asks the launcher about each running run, and fails the run if it
    has no container or job. A run of `social-assets load` never has one.
    """

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process, container or job is alive."""
        command = health_of_command(Home.from_environment(), run.run_id)
        return command or super().check_run_worker_health(run)
