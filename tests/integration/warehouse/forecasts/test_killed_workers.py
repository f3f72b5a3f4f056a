"""Processes that forecast end with the run that started them, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Values without an end to the work: the run is killed while its workers are busy.
RUN = """
import numpy as np
from social_assets.forecasts.series import DAILY
from social_assets.forecasts.workers import forecast_all

def main():
    draw = np.random.default_rng(1)
    series = {str(n): draw.poisson(100, 182).astype(float) for n in range(4000)}
    print("begun", flush=True)
    forecast_all(series, DAILY, 2)

if __name__ == "__main__":
    main()
"""


def workers_of(parent: int) -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()
            arguments = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(state[1]) == parent and b"--multiprocessing-fork" in arguments:
            found.add(int(folder.name))
    return found


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends workers with their parent")
def test_no_worker_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment
    ) as run:
        assert run.stdout is not None and run.stdout.readline() == b"begun\n"
        while len(workers := workers_of(run.pid)) < 2:
            assert run.poll() is None
            time.sleep(0.05)
        # Workers that have not become Python yet end by themselves: their pipe to the run ends.
        run.send_signal(signal.SIGKILL)
    while any(Path(f"/proc/{each}").exists() for each in workers):
        time.sleep(0.05)
