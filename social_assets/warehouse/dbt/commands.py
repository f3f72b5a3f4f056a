"""Processes with dbt loaded: one is started by the first command, and kept for the next.

Here belongs their life, seen from the process that wants dbt run. What happens in them stands in
`process`; what is run, in `project`.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

_SOURCES = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class _Server:
    """A process with dbt loaded, and the socket that it takes commands from."""

    process: subprocess.Popen[bytes]
    commands: socket.socket

    def end(self) -> int:
        self.commands.close()
        return self.process.wait()


_idle: list[_Server] = []
"""Those without a command. A command takes one out, so that two commands never share one."""

os.register_at_fork(after_in_child=_idle.clear)


class RunningDbt:
    """A dbt command under way, with what `dagster_dbt` asks of a `subprocess.Popen`.

    `stdout` has dbt's log, and ends when dbt does. When it is closed early, or this process is
    killed, dbt ends with its next event. As a context manager it waits for that.
    """

    def __init__(self, server: _Server, arguments: Sequence[str], stdout: IO[bytes]) -> None:
        self.args = ["dbt", *arguments]
        self.stdout = stdout
        self.returncode: int | None = None
        self._server = server
        self._answers = server.commands.makefile("r")
        self._pid = self._answers.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.wait()

    def send_signal(self, number: int) -> None:
        """Send a signal to dbt, if it still runs."""
        if self.returncode is None and self._pid:
            with suppress(ProcessLookupError):
                os.kill(int(self._pid), number)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code; the process with dbt loaded is then free for the next command."""
        if self.returncode is None:
            self._server.commands.settimeout(timeout)
            answer = self._answers.readline()
            self._answers.close()
            self._server.commands.settimeout(None)
            if answer:
                self.returncode = int(answer)
                _idle.append(self._server)
            else:
                # The server was killed.
                self.returncode = self._server.end()
        return self.returncode


def start_dbt(
    partial_parse: Path | None, arguments: Sequence[str], environment: Mapping[str, str]
) -> RunningDbt:
    """Start dbt with these arguments. The caller must read `stdout`, and then wait.

    `partial_parse` is the file of a manifest parsed before; without one, dbt parses the project.
    The environment is this process's, with `environment` on top.
    """
    command = {
        "partial_parse": None if partial_parse is None else str(partial_parse),
        "arguments": list(arguments),
        "environment": {**os.environ, **environment, "PYTHONPATH": python_path()},
    }
    server = _take()
    read, write = os.pipe()
    stdout = os.fdopen(read, "rb")
    try:
        text = json.dumps(command).encode() + b"\n"
        sent = socket.send_fds(server.commands, [text], [write])
        server.commands.sendall(text[sent:])
    finally:
        os.close(write)
    return RunningDbt(server, arguments, stdout)


def python_path() -> str:
    """Where a process of ours finds our packages, whatever folder it is started from."""
    return os.pathsep.join(filter(None, (str(_SOURCES), os.environ.get("PYTHONPATH"))))


def _take() -> _Server:
    while _idle:
        server = _idle.pop()
        if server.process.poll() is None:
            return server
        server.end()
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "social_assets.warehouse.dbt.process"],
            env={**os.environ, "PYTHONPATH": python_path()},
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
        )
    return _Server(process, ours)


@atexit.register
def _end_idle() -> None:
    while _idle:
        _idle.pop().end()
