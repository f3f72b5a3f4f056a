"""A server's process that is asked to stop: it ends in time, or it is killed and that is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.machine.locked_process import LockedProcess
from tests.integration.resources.embedded_clickhouse.waiting import wait_until

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
{ready}
time.sleep(600)
"""
AGAIN = """
import fcntl, os, time
lock = open("server.lock", "a")
open("waits", "w").close()
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0)
print(os.getpid(), file=lock, flush=True)
time.sleep(600)
"""
QUICK = "import time; {ready}; time.sleep(600)"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[LockedProcess]:
    process = LockedProcess(tmp_path / "server.lock")
    yield process
    process.end()


def _launch(process: LockedProcess, program: str) -> Path:
    folder = process.lock.parent
    log = folder / "server.log"
    ready = folder / "ready"
    code = program.format(ready=f"open({str(ready)!r}, 'w').close()")
    with log.open("a") as lines:
        process.launch([sys.executable, "-I", "-S", "-c", code], folder, {}, lines)
    wait_until(ready.exists)
    return log


def test_a_process_that_stops_in_time_is_not_killed(process: LockedProcess) -> None:
    log = _launch(process, QUICK)
    assert process.stop(30, log)
    assert not process.is_running()
    assert log.read_text() == ""


def test_a_process_that_hangs_is_killed_and_its_log_says_so(process: LockedProcess) -> None:
    log = _launch(process, DEAF)
    pid = process.process_id()
    assert process.stop(0.2, log)
    assert not process.is_running()
    assert log.read_text() == f"killed: process {pid} has not stopped within 0.2 s\n"


def test_a_server_that_a_supervisor_starts_again_at_once_is_left_alone(
    process: LockedProcess,
) -> None:
    log = _launch(process, QUICK)
    folder = process.lock.parent
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", AGAIN], cwd=folder) as again:
        wait_until((folder / "waits").exists)
        assert process.stop(1, log)
        wait_until(lambda: process.process_id() == again.pid)
        assert again.poll() is None
        assert log.read_text() == ""
        process.end()


def test_a_process_that_outlives_sigkill_is_an_error_that_names_it(
    process: LockedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = _launch(process, QUICK)
    with monkeypatch.context() as patched:
        # A process that waits for a broken disk ignores every signal.
        patched.setattr("resources.machine.locked_process.os.kill", lambda pid, number: None)
        patched.setattr("resources.machine.locked_process._END_SECONDS", 0.1)
        with pytest.raises(TimeoutError, match=f"process {process.process_id()}, which holds"):
            process.stop(0.1, log)
    assert process.is_running()


def test_nothing_is_stopped_where_nothing_runs(process: LockedProcess) -> None:
    assert not process.stop(30, process.lock.parent / "server.log")
    assert not (process.lock.parent / "server.log").exists()
