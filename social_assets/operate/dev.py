"""The Dagster UI of a home, in the foreground: webserver, daemon, embedded ClickHouse."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from resources.clickhouse import ClickHouseResource
from resources.home import Home
from social_assets.alerts.message import UI_URL
from social_assets.operate.instance import use_home


def serve_ui(home: Home, port: int) -> NoReturn:
    """Become `dagster dev`, so that whoever stops this process stops all of it."""
    use_home(home)
    ClickHouseResource().endpoint()
    os.environ.setdefault(UI_URL, f"http://127.0.0.1:{port}")
    # Shells start what runs in the background with SIGINT ignored, and so would `dagster dev` be,
    # which takes SIGTERM for a SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.executable, ui_command(port))  # noqa: S606 - no shell is wanted


def ui_command(port: int) -> list[str]:
    """What runs webserver, daemon and code server, on loopback."""
    return [
        *(sys.executable, "-m", "dagster", "dev"),
        *("--module-name", "social_assets.definitions"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
