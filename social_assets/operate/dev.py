"""The Dagster UI of a home, in the foreground: webserver, daemon, embedded ClickHouse."""

from __future__ import annotations

import subprocess
import sys

from resources.clickhouse import ClickHouseResource
from resources.home import Home
from social_assets.operate.instance import use_home


def serve_ui(home: Home, port: int) -> int:
    """Run until interrupted; returns `dagster dev`'s exit code."""
    use_home(home)
    ClickHouseResource().endpoint()
    command = [
        *(sys.executable, "-m", "dagster", "dev"),
        *("--module-name", "social_assets.definitions"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    with subprocess.Popen(command) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            return server.wait()
