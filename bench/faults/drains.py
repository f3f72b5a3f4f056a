"""Keeps drains running while processes are killed: in forked processes, or by Dagster's daemon.

Belongs here: starting drains and backfills, finding their processes and killing them. `under_load`
decides which process is killed when. With backfills, the daemon's drain is the process that holds
the stream's lock.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

from bench.faults.producer import DAYS
from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.jobs.changed_days import fed_by
from social_assets.defs.maintenance.rebuild_jobs import REBUILD
from social_assets.defs.stores import StoresResource
from social_assets.operate.runs.instance import use_home
from social_assets.operate.runs.start import rebuild_days
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.drain import Taken, drain
from social_assets.pipeline.topics.topic_source import Limits

STREAM = "engagement_events"
_LIMITS = Limits(seconds=300, quiet_seconds=20, pace_seconds=0.1, away_seconds=120)
_LAST_LIMITS = Limits(seconds=600, quiet_seconds=1, away_seconds=120)
_START_SECONDS = 300.0


class Drains(Protocol):
    """Drains of the stream, one at a time, which can be killed."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def ensure_running(self) -> None:
        """Start a drain unless one runs."""
        ...

    def is_running(self) -> bool:
        """Whether the process of a drain runs."""
        ...

    def kill(self) -> None:
        """Kill the process of the drain with SIGKILL."""
        ...

    def end(self, patience_seconds: float = 0.0) -> None:
        """Wait until the drain ends, and start no other."""
        ...


def stores() -> StreamStores:
    """The stores of the stream in the home that the environment names."""
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(STREAM))


def drain_all() -> None:
    """Drain the whole topic in this process."""
    drain(stores(), KafkaResource(), _no_report, _LAST_LIMITS)


def _no_report(_: Taken) -> None:
    """Ignore a report."""


class Forked:
    """Runs work in processes that are forked from a process with all imports done."""

    def __init__(self, work: str) -> None:
        """`work` is a name of `WORK`."""
        self._server = subprocess.Popen(
            [sys.executable, "-m", "bench.faults.drains", work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._child: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()

    def ensure_running(self) -> None:
        """See Drains."""
        if self.is_running():
            return
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write("begin\n")
        self._server.stdin.flush()
        self._child = int(self._server.stdout.readline())

    def is_running(self) -> bool:
        """Whether the drain runs: the server reaps a child as soon as it ends."""
        return self._child is not None and Path(f"/proc/{self._child}").exists()

    def kill(self) -> None:
        """See Drains."""
        if self.is_running() and self._child is not None:
            os.kill(self._child, signal.SIGKILL)
        self.end(0)

    def end(self, patience_seconds: float = 0.0) -> None:
        """Wait until the drain ends, or kill it after a time."""
        deadline = time.monotonic() + patience_seconds
        while self.is_running() and self._child is not None:
            if time.monotonic() > deadline:
                os.kill(self._child, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.01)


class DaemonDrains:
    """Dagster's daemon on the home's own profile: its sensor requests the runs that drain."""

    def __init__(self, home: Home) -> None:
        use_home(home)
        self._home = home
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self._daemons:
            # Its code server and runs are in its session.
            try:
                os.killpg(daemon.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            finally:
                daemon.wait()

    def _start(self) -> None:
        self._home.logs.mkdir(parents=True, exist_ok=True)
        with (self._home.logs / "daemon.log").open("ab") as log:
            daemon = subprocess.Popen(
                [
                    *(str(Path(sys.executable).with_name("dagster-daemon")), "run"),
                    *("-m", "bench.faults.definitions"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._daemons.append(daemon)

    def ensure_running(self) -> None:
        """See Drains."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_running():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"the daemon has no drain under way after {_START_SECONDS:.0f} s; see "
                    f"{self._home.logs / 'daemon.log'}"
                )
            time.sleep(0.02)

    def is_running(self) -> bool:
        """See Drains."""
        return self._holder() is not None

    def kill(self) -> None:
        """See Drains."""
        holder = self._holder()
        if holder is not None:
            os.kill(holder, signal.SIGKILL)
        while holder is not None and self._holder() == holder:
            time.sleep(0.01)

    def kill_daemon(self) -> None:
        """Kill the daemon with SIGKILL, and start another. Its code server and runs live for a
        while.
        """
        self._daemons[-1].kill()
        self._daemons[-1].wait()
        self._start()

    def end(self, patience_seconds: float = 0.0) -> None:
        """See Drains."""
        deadline = time.monotonic() + patience_seconds
        holder = self._holder()
        while holder is not None and self._holder() == holder:
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(0.01)

    def _holder(self) -> int | None:
        return stream_holder(self._home)


def stream_holder(home: Home) -> int | None:
    """The process that holds the stream's lock, which is the drain; None if nobody does."""
    lock = home.path / "locks" / f"{STREAM}.lock"
    if not lock.exists():
        return None
    inode = str(lock.stat().st_ino)
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode:
            return int(fields[4])
    return None


def drain_for_minutes() -> None:
    """Run one drain that ends by itself after some minutes."""
    drain(stores(), KafkaResource(), _no_report, _LIMITS)


def backfill() -> None:
    """Rebuild the days of the stream, from cleaned to rollups, like `social-assets backfill`."""
    today = datetime.now(UTC).date()
    behind = [f"cleaned/{STREAM}", *(key.to_user_string() for key in fed_by(STREAM))]
    first = today - timedelta(days=DAYS)
    rebuild_days(Home.from_environment(), first, today, behind, lambda _: None)


WORK = {"drain": drain_for_minutes, "backfill": backfill}


def serve(work: str) -> None:
    """Fork a process for the work at each line of input, and print its process id."""
    if work == "backfill":
        definitions = importlib.import_module("social_assets.locations.batch")
        definitions.defs().resolve_job_def(REBUILD)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                WORK[work]()
                code = 0
            except Exception as error:  # noqa: BLE001 - a forked child goes no further
                said = f"{work}: {type(error).__name__}: {str(error)[:200]}"
                print(said, file=sys.stderr, flush=True)
            os._exit(code)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    serve(sys.argv[1])
