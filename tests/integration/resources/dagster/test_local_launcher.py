"""Dagster's monitor on one machine: a run that has lost its process is failed, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dagster import DagsterRunStatus
from dagster._core.launcher.base import WorkerStatus
from dagster._core.test_utils import create_run_for_test

from resources.dagster.local_launcher import GONE
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.runs.instance import open_instance

_WORKER = "import sys, time; sys.stdin.read()"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the processes of a home")
def test_a_run_without_any_process_is_failed_and_one_with_its_process_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Home(tmp_path)) as instance:
        launcher = instance.run_launcher
        assert launcher.supports_check_run_worker_health
        run = create_run_for_test(instance, job_name="any", status=DagsterRunStatus.STARTED)
        worker = subprocess.Popen(
            # As multiprocessing starts the process of a run.
            [sys.executable, "-c", _WORKER, "--multiprocessing-fork"],
            stdin=subprocess.PIPE,
            env={**os.environ, ENVIRONMENT_VARIABLE: str(tmp_path)},
        )
        try:
            deadline = time.monotonic() + 30
            while launcher.check_run_worker_health(run).status is not WorkerStatus.RUNNING:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            worker.kill()
            worker.wait()
        found = launcher.check_run_worker_health(run)
        assert (found.status, found.msg) == (WorkerStatus.NOT_FOUND, GONE)
