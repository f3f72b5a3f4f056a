"""Which runs are those of commands: each is marked by a file that its process keeps locked.

A run of the command line lives and dies with its process, and the operating system lets go of the
lock when that ends. Here belongs the mark: where it lies, and whether it is held. Who marks, and
ends what is left, is `operate.own_runs`. And here belongs what the launchers of production, beside
this module, have in common: not to take such a run for one that lost its container.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from dagster import DagsterRun

# Not exported: what Dagster's monitor asks a launcher, and how it is answered.
from dagster._core.launcher.base import CheckRunHealthResult, RunLauncher, WorkerStatus

from resources.settings.home import Home

ABANDONED = "the command that ran it was killed; run the command again"


def mark_of(home: Home, run_id: str) -> Path:
    """The file that the process of a command's run keeps locked."""
    return home.path / "locks" / f"{run_id}.run"


def health_of_command(home: Home, run_id: str) -> CheckRunHealthResult | None:
    """Whether the command that works on a run lives; None if it is no command's run."""
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
    """A launcher, put before that of Dagster, for which runs of commands live as long as their
    process.

    Dagster's monitor asks every 30 s after each run under way, and fails those that the launcher
    finds no container or job of: `social-assets load` in a container of the installation has none.
    """

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether who works on the run is still there."""
        command = health_of_command(Home.from_environment(), run.run_id)
        return command or super().check_run_worker_health(run)
