"""The Dagster UI in the foreground can be stopped, however the shell started it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from rich.console import Console

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import Home
from resources.settings.logs import LEVEL
from social_assets.operate.ui import dev

_NOWHERE = Endpoint("http://127.0.0.1:9", "default", "")


class BecameDagsterError(BaseException):
    """Raised instead of replacing the process with Dagster's command."""


def test_dagster_can_be_interrupted_though_its_shell_ignored_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A shell without job control ignores SIGINT for background processes."""

    def become(*_: object) -> None:
        raise BecameDagsterError

    monkeypatch.setattr(dev, "use_home", lambda home: None)
    monkeypatch.setattr(ClickHouseResource, "endpoint", lambda self: _NOWHERE)
    monkeypatch.setattr("os.execv", become)
    monkeypatch.setattr(dev, "start_api", lambda home, port: None)
    monkeypatch.setattr(dev, "start_log_shipper", lambda home: None)
    monkeypatch.setenv(dev.UI_URL, "")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(BecameDagsterError):
            dev.serve_ui(
                Home(tmp_path), free_port(), free_port(), Console(quiet=True), is_opened=False
            )
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_terminal_says_what_is_served_where_and_stays_quiet_then(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LEVEL, "warning")
    monkeypatch.delenv(BOOTSTRAP_SERVERS, raising=False)
    lines = dev.served(
        Home(tmp_path), "http://127.0.0.1:3000", "http://127.0.0.1:8080", "http://127.0.0.1:8123"
    )
    text = "\n".join(lines)
    for place in (
        "http://127.0.0.1:3000",
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8123",
        str(tmp_path),
    ):
        assert sum(place in line for line in lines) == 1
    assert "social-assets kafka start" in text and "Ctrl-C" in text
    command = dev.ui_command(3000)
    assert command[command.index("--log-level") + 1] == "warning"
    assert command[command.index("--code-server-log-level") + 1] == "warning"
