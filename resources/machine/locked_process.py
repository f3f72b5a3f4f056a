"""A server's process that holds a lock for its whole life, so that any process can find and end it.

The kernel frees the lock when the process ends, however it ends. Belongs here: launching such a
process, finding it, ending it. When it answers, its caller finds out. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from resources.machine.file_locks import is_locked

_POLL_SECONDS = 0.02
_END_SECONDS = 5

_BECOME = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)
"""Becomes the command. A process that is started in the background ignores SIGINT, once Dagster has
run in it SIGTERM, too, and so would the server for its whole life."""


@dataclass(frozen=True)
class LockedProcess:
    """The server whose process holds `lock`, a file that also has its process id."""

    lock: Path

    def is_running(self) -> bool:
        """Whether the process lives; it may still be about to answer."""
        return is_locked(self.lock)

    def process_id(self) -> int | None:
        """The process, if it lives; None also in the moment before it has written its number."""
        number = self.lock.read_text().strip() if self.is_running() else ""
        return int(number) if number else None

    def launch(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: TextIO
    ) -> None:
        """Start the command in a session of its own. Raises BlockingIOError if one runs."""
        with self.lock.open("a") as lock:
            # The lock belongs to the open file, which the server inherits and nobody else keeps.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BECOME, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=environment,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
            lock.truncate(0)
            lock.write(f"{server.pid}\n")

    def stop(self, timeout: float, log: Path) -> bool:
        """Ask it to end, wait, and kill it after `timeout` seconds; False if none ran.

        For servers that lose nothing by SIGKILL. `log` gets a line that says that it was killed.
        Raises TimeoutError if it lives on.
        """
        pid = self.process_id()
        if pid is None:
            return False
        self._signal(pid, signal.SIGTERM)
        if self._has_ended(pid, timeout):
            return True
        with log.open("a") as lines:
            lines.write(f"killed: process {pid} has not stopped within {timeout:g} s\n")
        self._signal(pid, signal.SIGKILL)
        if not self._has_ended(pid, _END_SECONDS):
            raise TimeoutError(
                f"process {pid}, which holds {self.lock}, lives {_END_SECONDS} s after SIGKILL: the"
                " system waits for one of its disks; repair it, and give the command again"
            )
        return True

    def end(self) -> None:
        """End it, by SIGKILL if it takes long."""
        pid = self.process_id()
        if pid is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._signal(pid, number)
            if self._has_ended(pid, _END_SECONDS):
                return

    def _signal(self, pid: int, number: signal.Signals) -> None:
        if self.process_id() == pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _has_ended(self, pid: int, timeout: float) -> bool:
        """Whether this process is gone. Another one may hold the lock then: a supervisor that
        starts a server again does so at once.
        """
        deadline = time.monotonic() + timeout
        while self.process_id() == pid:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True
