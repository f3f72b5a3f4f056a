"""Runs of the command line: ends the runs whose process was killed, and frees their pool slots.

Dagster's daemon monitors only the runs that it has started. If the process of a command is killed,
its run would count as running for ever and keep its slot in the stream's pool, so that the next
command would wait without end. Therefore each command holds a file lock for its run, which the
operating system releases when the process ends. The next command ends the runs whose lock is free.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import DagsterInstance

from resources.dagster.cli_run_lock import ABANDONED, mark_of
from resources.settings.home import Home
from social_assets.warehouse.dbt.project import exclusive


@contextmanager
def cli_run_lock(home: Home, instance: DagsterInstance, run_id: str) -> Iterator[None]:
    """Hold this run's lock for the block. First ends the runs whose process is dead."""
    folder = home.path / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    mark = mark_of(home, run_id)
    with exclusive(folder / "runs"):
        for other in sorted(folder.glob("*.run")):
            _end_if_abandoned(instance, other)
        held = mark.open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    with held:
        yield
        mark.unlink()


def is_a_run_marked(home: Home) -> bool:
    """Whether a command's run is running, or was running when its process was killed."""
    return any((home.path / "locks").glob("*.run"))


def _end_if_abandoned(instance: DagsterInstance, mark: Path) -> None:
    with mark.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        run = instance.get_run_by_id(mark.stem)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, ABANDONED)
        instance.event_log_storage.free_concurrency_slots_for_run(mark.stem)
        mark.unlink()
