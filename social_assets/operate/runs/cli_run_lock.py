"""Runs of commands: those whose process was killed are ended, and give back what they hold.

Dagster's daemon looks after the runs that it has started. A run of the command line lives and dies
with its process: killed, it would count as under way for ever, and keep its place in the pool of
its stream, for which the same command, asked again, would wait without end. So each holds a lock
of the operating system's, which ends with its process; whoever finds one let go ends its run.
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
def own_run(home: Home, instance: DagsterInstance, run_id: str) -> Iterator[None]:
    """Mark a run as this process's, for the block; ends the runs of processes that are gone."""
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
    """Whether the run of a command is under way, or was when its process was killed."""
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
