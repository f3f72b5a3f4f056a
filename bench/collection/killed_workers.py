"""Workers that collect and are killed at random moments; what they print is kept in a file.

Belongs here: starting a worker, and choosing the moment of a SIGKILL. What is collected
when belongs to `killed_days`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.collection.served_platforms import ServedPlatforms
from resources.settings.home import ENVIRONMENT_VARIABLE
from social_assets.demo.platforms.world.accounts import PLATFORMS

OUTPUT = "collect_workers.log"
"""In the home, beside the logs of Dagster: it is searched for tokens too."""
_LANDING_SECONDS = 3.0
_DOLLARS = {f"SOCIAL_ASSETS_X_DOLLARS_A_{window}": "100000" for window in ("DAY", "MONTH")}
"""Each record of X has a price: the budget must not be what ends a collection."""
_POLL_SECONDS = 0.02
_LONGEST_SECONDS = 3_600.0


class WorkerFailedError(RuntimeError):
    """A worker that nobody killed ended with an error."""


@dataclass
class Workers:
    """Starts workers, one at a time."""

    served: ServedPlatforms
    chosen: Random

    @property
    def output(self) -> Path:
        """The file of what the workers print."""
        return self.served.home.path / OUTPUT

    def collect(self) -> None:
        """Collect until nothing is due, and nothing has failed. Raises WorkerFailedError."""
        worker = self._start()
        if worker.wait(_LONGEST_SECONDS):
            said = self.output.read_text()[-3_000:]
            raise WorkerFailedError(f"a worker ended with {worker.returncode}: ...{said}")

    def is_killed(self, most_calls: int) -> bool:
        """Start a worker and kill it at a random moment; False if it ended before.

        The moment is after a number of calls, or, as often, while a batch of pages lands.
        """
        before, spooled = self.served.calls(), self._spooled()
        worker = self._start()
        if self.chosen.random() < 0.5:
            calls = self.chosen.randint(1, most_calls)
            _await(worker, lambda: self.served.calls() >= before + calls)
        else:
            _await(worker, lambda: self._spooled() != spooled)
            seconds = self.chosen.uniform(0, _LANDING_SECONDS)
            ends_at = time.monotonic() + seconds
            _await(worker, lambda: time.monotonic() >= ends_at)
        was_running = worker.poll() is None
        worker.kill()
        worker.wait()
        return was_running

    def _spooled(self) -> set[Path]:
        """The batches that have not landed: a new one is there while it lands."""
        return set((self.served.home.collection / "pages").rglob("*.arrows"))

    def _start(self) -> subprocess.Popen[bytes]:
        platforms = self.chosen.sample(PLATFORMS, len(PLATFORMS))
        command = [sys.executable, "-W", "ignore", "-m", "bench.collection.collect_worker"]
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [*command, self.served.url, *platforms],
                stdout=output,
                stderr=output,
                env={**os.environ, ENVIRONMENT_VARIABLE: str(self.served.home.path), **_DOLLARS},
            )


def _await(worker: subprocess.Popen[bytes], is_so: Callable[[], bool]) -> None:
    while worker.poll() is None and not is_so():
        time.sleep(_POLL_SECONDS)
