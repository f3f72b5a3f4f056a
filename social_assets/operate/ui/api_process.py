"""Dashboards with the API, and the shipper of logs, beside the Dagster UI: child processes.

Belongs here: starting them. Each ends when the last writer of its standard input has ended, which
is this process or the one that replaces it: also after kill -9.
"""

from __future__ import annotations

import os
import subprocess
import sys

from resources.settings.home import Home


def start_api(home: Home, port: int) -> subprocess.Popen[bytes]:
    """Start `social-assets serve`. Its errors are shown in this terminal."""
    return _start(home, ["serve", "--port", str(port)])


def start_log_shipper(home: Home) -> subprocess.Popen[bytes]:
    """Start `social-assets ship-logs`. Its errors are shown in this terminal."""
    return _start(home, ["ship-logs"])


def _start(home: Home, arguments: list[str]) -> subprocess.Popen[bytes]:
    reader, writer = os.pipe()
    # Only this process has the writing end: what it starts later closes it, what replaces it
    # keeps it.
    os.set_inheritable(writer, True)
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path)]
    process = subprocess.Popen(
        [*command, *arguments, "--ends-with-input"],
        stdin=reader,
        # Ctrl-C reaches this process, which ends; the child then ends in order.
        start_new_session=True,
    )
    os.close(reader)
    return process
