"""The streaming benchmark computes delays, CPU seconds and memory of known cases correctly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.figures import Figure
from bench.processes import GIB, ProcessWatch
from bench.streaming.freshness import delays
from resources.settings.home import ENVIRONMENT_VARIABLE, Home

BUSY = """
import time
ballast = bytearray({mebibytes} * 2**20)
for place in range(0, len(ballast), 4096):
    ballast[place] = 1
while time.process_time() < {seconds}:
    pass
"""


def test_an_event_is_visible_at_the_first_look_that_counts_it() -> None:
    created = np.array([10.0, 11.0, 12.0])
    looks, counts = np.array([10.5, 11.5, 12.5, 13.0]), np.array([0, 1, 1, 3])
    assert delays(created, looks, counts).tolist() == [1.5, 2.0, 1.0]


def run(home: Path, code: str) -> None:
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(home)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_cpu_and_memory_of_a_home_are_those_of_its_processes_and_of_no_others(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "ours")
    with ProcessWatch(home) as watch:
        run(tmp_path / "theirs", BUSY.format(mebibytes=1, seconds=1))
        run(home.path, BUSY.format(mebibytes=200, seconds=1))
    (used,) = (u for u in watch.usage().values() if u.cpu_seconds)
    assert used.cpu_seconds == pytest.approx(1, abs=0.4)
    assert 200 / 1024 < used.peak_anonymous / GIB < 0.4
    assert used.peak_rss >= used.peak_anonymous


def test_children_too_short_for_a_sample_count_as_well(tmp_path: Path) -> None:
    home = Home(tmp_path)
    child = "import time\nwhile time.process_time() < 0.1: pass"
    parent = f"""
import subprocess, sys, time
for _ in range(10):
    subprocess.run([sys.executable, "-c", {child!r}])
time.sleep(0.5)
"""
    with ProcessWatch(home) as watch:
        run(home.path, parent)
    assert sum(used.cpu_seconds for used in watch.usage().values()) > 1


def test_a_figure_says_whether_it_keeps_its_bound() -> None:
    assert Figure("part", "delay", 1.0, "s", target=1.0).is_met
    assert not Figure("part", "rate", 9.0, "events/s", target=10.0, is_upper=False).is_met
    assert Figure("part", "seconds", 9.0, "s").is_met
