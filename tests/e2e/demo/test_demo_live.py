"""The live demonstration as a person runs it: to its end, and stopped by Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from sensors.file_arrival import UNDERWAY
from social_assets.operate.runs.instance import open_instance

pytestmark = [pytest.mark.timeout(900), pytest.mark.endurance]


def started(home: Home, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "social_assets", "demo-live", "--no-open"),
            *("--port", str(free_port()), *arguments),
        ],
        env={**os.environ, ENVIRONMENT_VARIABLE: str(home.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Ctrl-C reaches only this process group; the demonstration's children have another one.
        start_new_session=True,
    )


def processes_of(home: Home) -> list[str]:
    """The command lines of all processes of a home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended meanwhile
            continue
        if f"{ENVIRONMENT_VARIABLE}={home.path}".encode() in environment and command:
            found.append(command)
    return found


def drains(instance: DagsterInstance) -> list[tuple[str, DagsterRunStatus]]:
    return [
        (run.job_name, run.status)
        for run in instance.get_runs()
        if run.job_name.startswith("drain_")
    ]


@pytest.fixture
def home(deployed_home: Callable[[str], Home]) -> Home:
    """A home for this module: the demonstration stops the embedded ClickHouse that it started."""
    return deployed_home("live")


def test_live_records_arrive_in_the_rollups_to_the_row_and_everything_ends(home: Home) -> None:
    with started(home, "--rate", "100", "--seconds", "20") as demo:
        text = demo.communicate()[0]
    assert demo.returncode == 0, text
    assert "keeps nothing" in text
    counted = re.search(r"engagement_hourly counts ([\d,]+) of the ([\d,]+) events", text)
    assert counted is not None
    assert counted[1] == counted[2] != "0"
    assert re.search(r"From creation to the rollup: p50 [\d.]+ s, p95", text)
    assert re.search(r"engagement_events +sent +[\d,]+ +in the lake +[\d,]+", text)
    assert processes_of(home) == []
    with open_instance(home) as instance:
        assert {name for name, _ in drains(instance)} >= {"drain_engagement_events"}
        assert {status for _, status in drains(instance)} == {DagsterRunStatus.SUCCESS}


def test_ctrl_c_ends_every_process_that_the_demonstration_started(home: Home) -> None:
    with started(home, "--rate", "50") as demo:
        assert demo.stdout is not None
        text = ""
        while "sent " not in text and (line := demo.stdout.readline()):
            text += line
        assert any("dagster" in command for command in processes_of(home)), text
        os.killpg(demo.pid, signal.SIGINT)
        text += demo.stdout.read()
    assert demo.returncode == 0, text
    assert "Letting through what was sent" in text
    assert processes_of(home) == []
    with open_instance(home) as instance:
        assert {status for _, status in drains(instance)}.isdisjoint(UNDERWAY)
