"""Dashboards and API beside the Dagster UI end with it, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from resources.machine.ports import free_port, is_free
from resources.settings.home import Home
from resources.web.listening import ServeError, listening
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.ui.lock import require_free_port

# A child inherits blocked and ignored signals, and a worker of the tests that has run other tests
# may have some.
_PARENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
from pathlib import Path
from resources.settings.home import Home
from social_assets.operate.ui.api_process import start_api
start_api(Home(Path(sys.argv[1])), int(sys.argv[2]))
time.sleep(120)
"""
_SECONDS = 60.0


def until(is_done: object, what: str) -> None:
    end = time.monotonic() + _SECONDS
    while not is_done():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.05)


def listens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/none", timeout=5):
            return True
    except urllib.error.HTTPError as refused:
        return refused.code == 401
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    home, port = Home(tmp_path / "home"), free_port()
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(home.path), str(port)])
    try:
        until(lambda: listens(port), "the server never answered")
    finally:
        parent.send_signal(how)
        parent.wait(10)
    until(lambda: is_free(port), "the server has outlived its parent")


def test_a_port_that_is_taken_names_its_holder_and_the_option() -> None:
    port = free_port()
    taken = f"port {port} .* is taken by process .* --port"
    with listening("127.0.0.1", port):
        with pytest.raises(ServeError, match=taken), listening("127.0.0.1", port):
            pass
        with pytest.raises(RunFailedError, match="--api-port"):
            require_free_port(port, "--api-port")


def test_the_address_is_printed_again_without_a_server(tmp_path: Path) -> None:
    from social_assets.cli.main import cli

    arguments = ["--home", str(tmp_path / "home"), "serve", "--print-url", "--port", "8123"]
    printed = CliRunner().invoke(cli, arguments).stdout
    assert "http://127.0.0.1:8123/?token=" in printed
