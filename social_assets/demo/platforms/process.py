"""Start the platform server in a process of its own.

Belongs here: starting and stopping it, for tests and the demo.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_STOP_SECONDS = 10


@contextmanager
def platform_server(
    *,
    seed: int = 1,
    accounts: int = 10,
    faults: float = 0.0,
    begin: str | None = None,
    now: str | None = None,
    port: int = 0,
) -> Iterator[str]:
    """Run the server on a free port of the loopback interface; give its URL."""
    command = [sys.executable, "-m", "social_assets.demo.platforms", "--port", str(port)]
    command += ["--seed", str(seed), "--accounts", str(accounts), "--faults", str(faults)]
    command += ["--begin", begin] if begin else []
    command += ["--now", now] if now else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                raise RuntimeError(f"the platform server did not start: {' '.join(command)}")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
