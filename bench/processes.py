"""CPU seconds and memory of the processes of a home, by role, read from /proc.

Belongs here: finding processes, summing and sampling. A process belongs to a home if its
environment names the home. Children inherit the environment, so that detached servers and orphans
are found too.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from resources.settings.home import ENVIRONMENT_VARIABLE, Home

SAMPLE_SECONDS = 0.2
GIB = 2**30
_TICKS = os.sysconf("SC_CLK_TCK")

ROLES: Mapping[str, str] = {
    "resources.embedded_clickhouse": "ClickHouse",
    "kafka.Kafka": "broker",
    "org.apache.spark": "Spark",
    "spark-submit": "Spark",
    "peer_job": "Spark",
    "ui_webserver dev": "dagster dev",
    "ui_webserver": "webserver",
    "dagster._daemon": "daemon",
    "multiprocessing.spawn": "run",
    "code-server": "code server",
    "api grpc": "code server",
}
"""Part of a command line -> role; the first match applies."""

OTHER = "other"
SHORT_LIVED = "short-lived"
"""Role of children that began and ended between two samples: only their parents have their time."""


@dataclass(frozen=True)
class Usage:
    """The processes of one role together: CPU seconds, and peaks in bytes."""

    cpu_seconds: float
    peak_rss: int
    peak_anonymous: int


@dataclass
class _Process:
    """A process: identity and usage, in clock ticks; `waited` is the time of its ended children."""

    role: str
    parent: int
    own: int = 0
    waited: int = 0
    own_before: int = 0
    waited_before: int = 0

    @property
    def ticks(self) -> int:
        return self.own - self.own_before


@dataclass(frozen=True)
class _Memory:
    rss: int
    anonymous: int


@dataclass
class ProcessWatch:
    """Samples the processes of a home during the block; `usage` has the result at its end."""

    home: Home
    _processes: dict[tuple[int, int], _Process] = field(default_factory=dict)
    _strangers: set[tuple[int, int]] = field(default_factory=set)
    _samples: list[dict[str, _Memory]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._sample(is_first=True)
        self._thread = threading.Thread(target=self._run, name="process-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._sample()

    def usage(self) -> dict[str, Usage]:
        """The usage by role since the block began."""
        ticks: defaultdict[str, int] = defaultdict(int)
        for process in self._processes.values():
            ticks[process.role] += process.ticks
        ticks[SHORT_LIVED] = self._unseen()
        return {
            role: Usage(count / _TICKS, *self.peaks([role]))
            for role, count in sorted(ticks.items(), key=lambda item: -item[1])
        }

    def peaks(self, roles: Iterable[str]) -> tuple[int, int]:
        """The greatest sum of these roles at one moment, in bytes: resident, and anonymous.

        Pages of files count as resident in each process that maps them; the kernel can't take back
        anonymous pages.
        """
        wanted = list(roles)
        none = _Memory(0, 0)
        found = [[s.get(role, none) for role in wanted] for s in self._samples]
        return (
            max((sum(m.rss for m in sample) for sample in found), default=0),
            max((sum(m.anonymous for m in sample) for sample in found), default=0),
        )

    def roles(self) -> set[str]:
        """The roles of the processes found."""
        return {process.role for process in self._processes.values()}

    def _unseen(self) -> int:
        """The time of children that parents have waited for, without the time of children in
        samples.
        """
        alive = {pid for pid, _ in _present()}
        ended: defaultdict[int, int] = defaultdict(int)
        for (pid, _), process in self._processes.items():
            if pid not in alive:
                ended[process.parent] += process.own + process.waited
        return sum(
            max(0, process.waited - process.waited_before - ended[pid])
            for (pid, _), process in self._processes.items()
        )

    def _run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self, *, is_first: bool = False) -> None:
        memory: defaultdict[str, list[_Memory]] = defaultdict(list)
        for identity in _present() - self._strangers:
            try:
                process = self._account(identity, is_first)
                if process is not None:
                    memory[process.role].append(_memory(identity[0]))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
        self._samples.append(
            {
                role: _Memory(sum(m.rss for m in found), sum(m.anonymous for m in found))
                for role, found in memory.items()
            }
        )

    def _account(self, identity: tuple[int, int], is_first: bool) -> _Process | None:
        pid = identity[0]
        fields = _stat(pid)
        parent, own, waited = int(fields[1]), _sum(fields[11:13]), _sum(fields[13:15])
        process = self._processes.get(identity)
        if process is None:
            if not self._is_of_home(pid):
                if not _is_young(identity):
                    self._strangers.add(identity)
                return None
            process = self._processes[identity] = _Process(_role(pid), parent)
            if is_first:
                process.own_before, process.waited_before = own, waited
        elif _is_young(identity):
            process.role = _role(pid)
        process.own, process.waited = own, waited
        return process

    def _is_of_home(self, pid: int) -> bool:
        mark = f"{ENVIRONMENT_VARIABLE}={self.home.path}".encode()
        try:
            return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except PermissionError:
            return False  # another user's


def _present() -> set[tuple[int, int]]:
    """Process ids with their start times, because the kernel reuses ids."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        try:
            found.add((pid, int(_stat(pid)[19])))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


def _is_young(identity: tuple[int, int]) -> bool:
    """Whether the process may still show its parent's command line, before it executes its own."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS - identity[1] < _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/pid/stat after the name, which may contain any character."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _sum(fields: Iterable[str]) -> int:
    return sum(map(int, fields))


def _role(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return next((role for mark, role in ROLES.items() if mark in command), OTHER)


def _memory(pid: int) -> _Memory:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    kib = {name: int(value) for name, value in found.items()}
    return _Memory(sum(kib.values()) * 1024, kib.get("RssAnon", 0) * 1024)
