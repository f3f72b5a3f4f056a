"""The command line rebuilds days on a standalone cluster of Spark, as people set it up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.variables import ENGINE
from social_assets.contracts.registry import contract
from social_assets.lake.lake import Lake
from tests.integration.pipeline.spark.spark_cluster import SparkCluster, spark_cluster

pytestmark = pytest.mark.spark

STREAM = "engagement_events"


def social_assets(home: Home, *arguments: str, **environment: str) -> str:
    told = {**os.environ, ENVIRONMENT_VARIABLE: str(home.path), **environment}
    command = [sys.executable, "-m", "social_assets", *arguments]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_backfill_runs_on_two_workers_and_leaves_the_same_rows(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    lines = [
        {"event_id": f"e{n % 1500}", "event_time": f"2026-01-0{1 + n % 3}T12:00:00Z"}
        | {"account_id": "a", "metric_type": "like", "value": 1 if n % 100 else -1}
        for n in range(2_000)
    ]
    file = tmp_path / "events.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    cleaned = Lake(str(home.path / "lake"), home.path / "locks").table("cleaned", contract(STREAM))
    try:
        social_assets(home, "load", STREAM, str(file))
        before = cleaned.read().sort_by("event_id")
        assert before.num_rows > 1_000
        days = ("--from", "2026-01-01", "--to", "2026-01-03")
        with spark_cluster(tmp_path) as cluster:
            asked = {**cluster.environment(), ENGINE: "spark"}
            told = social_assets(home, "backfill", f"cleaned/{STREAM}", *days, **asked)
            assert f"clean_{STREAM}: done" in told, told[-3000:]
            application = finished(cluster)
        assert application["cores"] == 2
        assert cleaned.read().sort_by("event_id") == before
    finally:
        stop(home)


def finished(cluster: SparkCluster) -> dict[str, object]:
    """The application that ended well; the master may learn of its end a moment later."""
    deadline = time.monotonic() + 30
    while True:
        for each in cluster.state()["completedapps"]:
            if each["state"] == "FINISHED":
                found: dict[str, object] = each
                return found
        assert time.monotonic() < deadline, cluster.state()
        time.sleep(0.2)
