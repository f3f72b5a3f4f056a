"""A home has one Dagster UI at a time; a second start names the address of the first."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from resources.machine.ports import free_port
from resources.settings.home import Home
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.ui.lock import lock_ui

_HOLDS = """
import sys, time
from pathlib import Path
from resources.settings.home import Home
from social_assets.operate.ui.lock import lock_ui
held = lock_ui(Home(Path(sys.argv[1])), int(sys.argv[2]))
print("held", flush=True)
time.sleep(600)
"""


def _holder(home: Home, port: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(home.path), str(port)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_ui_of_a_home_is_refused_naming_who_serves_the_first(tmp_path: Path) -> None:
    home, port = Home(tmp_path), free_port()
    with _holder(home, port) as first:
        try:
            with pytest.raises(RunFailedError) as refused:
                lock_ui(home, free_port())
        finally:
            first.kill()
    assert f"process {first.pid}" in str(refused.value)
    assert f":{port}" in str(refused.value)
    assert "since 20" in str(refused.value)


def test_a_lock_whose_process_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    home, port = Home(tmp_path), free_port()
    with _holder(home, port) as first:
        first.send_signal(signal.SIGKILL)
    lock_ui(home, port).close()


def test_a_daemon_that_a_killed_ui_left_is_named_with_how_to_end_it(tmp_path: Path) -> None:
    home, package = Home(tmp_path / "home"), tmp_path / "modules" / "dagster"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_daemon.py").write_text("print('runs', flush=True)\nimport time\ntime.sleep(600)\n")
    environment = {**os.environ, "SOCIAL_ASSETS_HOME": str(home.path)}
    with subprocess.Popen(
        [sys.executable, "-m", "dagster._daemon"],
        cwd=package.parent,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == "runs\n"
            with pytest.raises(RunFailedError, match=f"process {daemon.pid} .*kill {daemon.pid}"):
                lock_ui(home, free_port())
            lock_ui(Home(tmp_path / "another"), free_port()).close()
        finally:
            daemon.kill()
    lock_ui(home, free_port()).close()


def test_a_port_that_is_taken_is_refused_naming_who_has_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(RunFailedError, match=f"port {port} .* process {os.getpid()}"):
            lock_ui(Home(tmp_path), port)
    lock_ui(Home(tmp_path), port).close()
