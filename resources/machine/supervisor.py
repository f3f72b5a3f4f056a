"""Keeps processes running: starts them in order, starts each again when it ends, tells their state.

Each service has a thread, so that one that takes long to start keeps no other waiting. Belongs
here: when a service is started, how long is waited between two starts, and how children end with
this process. Which services there are, and how each is asked if it is ready, belongs to the caller.
Standard library only.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STABLE_SECONDS = 60.0
"""A service that has run so long counts as started well: its next end is its first."""

_POLL_SECONDS = 0.1
_ASK_SECONDS = 1.0
_ASK_READY_SECONDS = 5.0
_END_SECONDS = 15.0

_BECOME = (
    "import os, signal, sys\n"
    "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_DFL)\n"
    "if sys.platform == 'linux':\n"
    "    import ctypes\n"
    "    ctypes.CDLL(None).prctl(1, signal.SIGTERM)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit('its supervisor has ended')\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)
"""Becomes the command, which gets a SIGTERM when the thread that started it ends, also by kill -9:
a service that outlives its supervisor would keep its port from the next one."""

_log = logging.getLogger(__name__)


class Service(Protocol):
    """A server that is to run as long as the supervisor does."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    def process_id(self) -> int | None:
        """Its process, if it runs."""
        ...

    def start(self) -> None:
        """Start it. Raises OSError or RuntimeError."""
        ...

    def is_ready(self) -> bool:
        """Whether it answers."""
        ...

    def end(self) -> None:
        """End it; returns when it has ended."""
        ...


@dataclass(frozen=True)
class ServiceState:
    """A service at one moment. `down_seconds` is how long its last outage took, from its end until
    it was ready again.
    """

    name: str
    pid: int | None
    is_ready: bool
    restarts: int
    down_seconds: float


@dataclass
class ChildProcess:
    """A command that is started as a child, in a session of its own; it writes to `log`."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    started_at: float = 0.0
    """When it was started last, in Unix seconds."""
    _process: subprocess.Popen[bytes] | None = None

    def process_id(self) -> int | None:
        """See Service."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """See Service."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.started_at = time.time()
        become = [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid())]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*become, *self.command],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        """See Service."""
        return self.process_id() is not None and self.ready()

    def end(self) -> None:
        """See Service: asks it, and kills it with its children after a time."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_before(failures: int) -> float:
    """How long to wait before a service is started again that has ended so often in a row."""
    return float(min(FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 16), LONGEST_WAIT_SECONDS))


class Supervisor:
    """Keeps services running until `stop`. Each is started when those before it were ready once."""

    def __init__(self, stages: Sequence[Sequence[Service]]) -> None:
        self._stages = [[_Kept(service) for service in stage] for stage in stages]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def run(self, changed: Callable[[Sequence[ServiceState]], None]) -> None:
        """Keep all running; calls `changed` whenever a state has changed. Returns after `stop`."""
        before: list[_Kept] = []
        for stage in self._stages:
            for kept in stage:
                thread = threading.Thread(
                    target=kept.keep, args=[list(before), self._stop], name=kept.service.name
                )
                thread.start()
                self._threads.append(thread)
            before += stage
        told: Sequence[ServiceState] = ()
        while not self._stop.wait(_POLL_SECONDS):
            now = self.states()
            if now != told:
                changed(now)
                told = now
        for thread in self._threads:
            thread.join()
        changed(self.states())

    def stop(self) -> None:
        """End all services, and have `run` return. May be called by a signal's handler."""
        self._stop.set()

    def states(self) -> Sequence[ServiceState]:
        """The state of each service."""
        return [kept.state() for stage in self._stages for kept in stage]


class _Kept:
    """A service that is kept running by its thread."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.was_ready = threading.Event()
        self._is_ready = False
        self._starts = 0
        self._failures = 0
        self._started_at = 0.0
        self._down_since: float | None = None
        self._down_seconds = 0.0

    def state(self) -> ServiceState:
        pid = self.service.process_id()
        is_ready = self._is_ready and pid is not None
        restarts = max(0, self._starts - 1)
        return ServiceState(self.service.name, pid, is_ready, restarts, self._down_seconds)

    def keep(self, before: Sequence[_Kept], stop: threading.Event) -> None:
        """Keep the service running until the event is set; then end it."""
        while not stop.is_set() and not all(kept.was_ready.is_set() for kept in before):
            stop.wait(_POLL_SECONDS)
        ask_at = 0.0
        while not stop.is_set():
            if self.service.process_id() is None:
                self._is_ready = False
                self._start_again(stop)
                ask_at = 0.0
            elif (now := time.monotonic()) >= ask_at:
                # One that others have started counts as started: its end is an outage.
                self._starts = self._starts or 1
                self._ask()
                ask_at = now + (_ASK_READY_SECONDS if self._is_ready else _ASK_SECONDS)
            stop.wait(_POLL_SECONDS)
        self.service.end()

    def _start_again(self, stop: threading.Event) -> None:
        now = time.monotonic()
        if self._starts:
            self._down_since = self._down_since or now
            self._failures = 1 if now - self._started_at > STABLE_SECONDS else self._failures + 1
            wait = wait_before(self._failures)
            _log.warning("%s has ended; it is started again in %.1f s", self.service.name, wait)
            if stop.wait(wait):
                return
        self._starts += 1
        self._started_at = time.monotonic()
        try:
            self.service.start()
        except (OSError, RuntimeError) as error:
            _log.error("%s does not start: %s", self.service.name, error)

    def _ask(self) -> None:
        self._is_ready = self.service.is_ready()
        if self._is_ready:
            self.was_ready.set()
            if self._down_since is not None:
                self._down_seconds = round(time.monotonic() - self._down_since, 2)
                self._down_since = None
                _log.warning("%s is ready after %.1f s", self.service.name, self._down_seconds)
