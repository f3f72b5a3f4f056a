"""Starts, finds and stops the embedded server of a home, from any process.

Many processes may call it at once, and each of them, or the server, may be killed: only the holder
of `server.lock` is the server, and the kernel releases the lock of a process that ends. The module
uses only the standard library, because every process of the project imports it.
"""

from __future__ import annotations

import http.client
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from resources.embedded_clickhouse.files import (
    INSTANCE_HEADER,
    READY,
    USER,
    ServerFiles,
    ServerState,
)
from resources.machine.file_locks import exclusive_lock, is_locked
from resources.machine.locked_process import LockedProcess
from resources.settings.home import Home

_SOURCES = Path(__file__).resolve().parents[2]
_PING_SECONDS = 5.0
_POLL_SECONDS = 0.02
_LOG_TAIL_LINES = 15
_LARGEST_LOG_BYTES = 8 * 1024**2


@dataclass(frozen=True)
class Endpoint:
    """Address and credentials of a ClickHouse; the text of an instance omits the password."""

    url: str
    user: str
    password: str = field(repr=False)


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot be started; the text has the reason and the log."""


def ensure_running(home: Home, timeout: float = 60.0) -> Endpoint:
    """The endpoint of the home's server; starts the server if it does not run."""
    files = ServerFiles(home)
    endpoint = _running(files)
    if endpoint is not None:
        return endpoint
    files.create()
    deadline = time.monotonic() + timeout
    try:
        with exclusive_lock(files.start_lock, timeout):
            return _await_other(files, deadline) or _start(home, files, deadline)
    except TimeoutError as error:
        raise EmbeddedServerError(
            f"the embedded ClickHouse of {home.path} did not start within {timeout:.0f} s "
            f"({error}); see {files.log}"
        ) from error


def stop(home: Home, timeout: float = 30.0) -> bool:
    """Stop the home's server and wait until it has closed its data; False if none ran.

    A server that hangs is killed after `timeout` seconds, which loses nothing that was
    acknowledged.
    """
    files = ServerFiles(home)
    if not is_locked(files.server_lock):
        return False
    with exclusive_lock(files.start_lock, timeout):
        return LockedProcess(files.server_lock).stop(timeout, files.log)


def running_state(home: Home) -> ServerState | None:
    """The state of the home's server, if it runs and answers."""
    files = ServerFiles(home)
    state = files.read_state()
    if state is None or not is_locked(files.server_lock) or not _answers(state):
        return None
    return state


def process_id(home: Home) -> int | None:
    """The server's process, if it lives; it may still be about to answer."""
    files = ServerFiles(home)
    if not files.server_lock.exists():
        return None
    return LockedProcess(files.server_lock).process_id()


def running_endpoint(home: Home) -> Endpoint | None:
    """The endpoint of the home's server, if it runs and answers. Starts nothing."""
    return _running(ServerFiles(home))


def _running(files: ServerFiles) -> Endpoint | None:
    state = files.read_state()
    if state is None or not is_locked(files.server_lock) or not _answers(state):
        return None
    return Endpoint(state.url, USER, files.password_file.read_text().strip())


def _await_other(files: ServerFiles, deadline: float) -> Endpoint | None:
    """Wait until the server that holds the lock answers or ends."""
    while is_locked(files.server_lock):
        endpoint = _running(files)
        if endpoint is not None:
            return endpoint
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"process {files.server_lock.read_text().strip()} holds {files.server_lock} but "
                f"does not answer; see {files.log}, and end that process if it hangs"
            )
        time.sleep(_POLL_SECONDS)
    return None


def _answers(state: ServerState) -> bool:
    """Whether this server answers, rather than another program on its port."""
    connection = http.client.HTTPConnection(state.host, state.port, timeout=_PING_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().getheader(INSTANCE_HEADER) == state.instance
    except (OSError, http.client.HTTPException):
        # Nothing listens, or another protocol answers.
        return False
    finally:
        connection.close()


def _start(home: Home, files: ServerFiles, deadline: float) -> Endpoint:
    files.password()
    _turn_log(files.log)
    read_end, write_end = os.pipe()
    try:
        with files.log.open("a") as log:
            launcher = subprocess.run(
                [
                    *(sys.executable, "-P", "-m", "resources.embedded_clickhouse"),
                    *("--home", str(home.path), "--detach", "--ready-fd", str(write_end)),
                ],
                pass_fds=(write_end,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=files.folder,
                env=_environment(),
                check=False,
            )
        os.close(write_end)
        if launcher.returncode != 0:
            raise _start_error(files, f"it ended with exit code {launcher.returncode}")
        report = _read_report(read_end, deadline)
    finally:
        os.close(read_end)
    if report != READY:
        raise _start_error(files, report or "it ended without a word")
    endpoint = _running(files)
    if endpoint is None:
        raise _start_error(files, "it was ready, and its process was ended right after")
    return endpoint


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(_SOURCES), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}


def _read_report(descriptor: int, deadline: float) -> str:
    """The server's report: the bytes that it writes until it closes the pipe or ends."""
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError("no word from it")
        part = os.read(descriptor, 4096)
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


def _start_error(files: ServerFiles, reason: str) -> EmbeddedServerError:
    lines = files.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    tail = "\n  ".join(lines)
    return EmbeddedServerError(
        f"the embedded ClickHouse did not start: {reason}\n"
        f"The end of its log, {files.log}:\n  {tail}"
    )


def _turn_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
