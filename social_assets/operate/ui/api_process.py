"""Dashboards and API beside the Dagster UI: a child process that ends with this one.

Belongs here: starting it. It ends when the last writer of its standard input has ended, which is
this process or the one that replaces it: also after kill -9.
"""

from __future__ import annotations

import os
import subprocess
import sys

from resources.settings.home import Home


def start_api(home: Home, port: int) -> subprocess.Popen[bytes]:
    """Start `social-assets serve`. Its errors are shown in this terminal."""
    reader, writer = os.pipe()
    # Only this process has the writing end: what it starts later closes it, what replaces it
    # keeps it.
    os.set_inheritable(writer, True)
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "serve"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--ends-with-input"],
        stdin=reader,
        # Ctrl-C reaches this process, which ends; the server then ends in order.
        start_new_session=True,
    )
    os.close(reader)
    return process
