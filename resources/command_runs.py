"""Which runs are those of commands: each is marked by a file that its process keeps locked.

A run of the command line lives and dies with its process, and the operating system lets go of the
lock when that ends. Here belongs the mark: where it lies, and whether it is held. Who marks, and
ends what is left, is `operate.own_runs`; who must not take such a run for one that lost its
container are the launchers of production, beside this module.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from resources.home import Home

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
