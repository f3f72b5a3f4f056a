"""Runs the commands of `kill_me`, and kills them. The fixture `worker` is in conftest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer


class Worker:
    """Runs commands in processes, and kills one after some seconds."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("kill_me.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(script.parents[4])},
        )

    def run(self, *command: object, kill_after: float | None = None) -> tuple[int, float]:
        """Run a command; returns its exit code (negative: the signal) and seconds."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(" ".join(map(str, command)) + "\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        started = time.monotonic()
        timer = Timer(kill_after or 0, os.kill, (child, signal.SIGKILL))
        if kill_after is not None:
            timer.start()
        code = int(self.process.stdout.readline())
        timer.cancel()
        return code, time.monotonic() - started

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
