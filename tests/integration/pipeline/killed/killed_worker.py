"""Runs the commands of `kill_me`, and kills them. The fixture `worker` is in conftest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Timer


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
        child, started = self._begin(*command)
        timer = Timer(kill_after or 0, os.kill, (child, signal.SIGKILL))
        if kill_after is not None:
            timer.start()
        code = self._ended()
        timer.cancel()
        return code, time.monotonic() - started

    def kill_when(self, moment: Event, *command: object) -> int:
        """Run a command, kill it at a moment, or after two minutes; returns its exit code."""
        child, _ = self._begin(*command)
        moment.wait(120)
        os.kill(child, signal.SIGKILL)
        return self._ended()

    def _begin(self, *command: object) -> tuple[int, float]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(" ".join(map(str, command)) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()), time.monotonic()

    def _ended(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
