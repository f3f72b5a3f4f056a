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

from resources.embedded_clickhouse.files import is_locked

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
        """The process, if it lives."""
        return int(self.lock.read_text()) if self.is_running() else None

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
        """
        pid = self.process_id()
        if pid is None:
            return False
        self._signal(signal.SIGTERM)
        if not self._has_ended(timeout):
            with log.open("a") as lines:
                lines.write(f"killed: process {pid} has not stopped within {timeout:.0f} s\n")
            self._signal(signal.SIGKILL)
            self._has_ended(_END_SECONDS)
        return True

    def end(self) -> None:
        """End it, by SIGKILL if it takes long."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            self._signal(signal_number)
            self._has_ended(_END_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.process_id()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _has_ended(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True
