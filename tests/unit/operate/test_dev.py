"""The Dagster UI in the foreground can be ended however its shell started it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from rich.console import Console

from resources.clickhouse import ClickHouseResource
from resources.home import Home
from resources.kafka_broker import free_port
from social_assets.operate import dev


class BecameDagsterError(BaseException):
    """In the place of the process that the command becomes."""


def test_dagster_can_be_interrupted_though_its_shell_ignored_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a shell without job control does for what it starts in the background."""

    def become(*_: object) -> None:
        raise BecameDagsterError

    monkeypatch.setattr(dev, "use_home", lambda home: None)
    monkeypatch.setattr(ClickHouseResource, "endpoint", lambda self: None)
    monkeypatch.setattr("os.execv", become)
    monkeypatch.setenv(dev.UI_URL, "")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(BecameDagsterError):
            dev.serve_ui(Home(tmp_path), free_port(), Console(quiet=True), is_opened=False)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
