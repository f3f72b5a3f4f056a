"""The documented command drains a topic on a standalone cluster of Spark, and no record twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import stop
from resources.kafka.resource import KafkaResource
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.lake.lake import Lake
from social_assets.operate.runs.instance import use_home
from tests.integration.pipeline.spark.spark_cluster import spark_cluster
from tests.integration.pipeline.spark.test_standalone_cluster import finished
from tests.integration.pipeline.spark.topic import TOPIC, jars, send

pytestmark = pytest.mark.spark

ON_SPARK = "ops: {drain_engagement_events_topic: {config: {on_spark: true, quiet_seconds: 0.2}}}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    use_home(home)
    home.spark.symlink_to(jars("spark"))
    return home


def test_a_topic_is_drained_on_two_workers_each_record_once(
    home: Home, kafka: KafkaResource, tmp_path: Path
) -> None:
    config = tmp_path / "on_spark.yaml"
    config.write_text(ON_SPARK)
    command = [
        *(sys.executable, "-m", "dagster", "job", "execute"),
        *("-m", "social_assets.locations.streaming", "-j", f"drain_{TOPIC}"),
        *("--config", str(config)),
    ]
    lake = Lake(str(home.lake), home.path / "locks")
    raw, cleaned = lake.table("raw", contract(TOPIC)), lake.table("cleaned", contract(TOPIC))
    try:
        with spark_cluster(tmp_path) as cluster:
            asked = {**os.environ, **cluster.environment()}
            for sent in (400, 0):
                send(kafka, 0, sent)
                done = subprocess.run(
                    command, env=asked, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
                assert sum(raw.rows_by_day().values()) == 400
            assert finished(cluster)["cores"] == 2
        keys = cleaned.read()["event_id"].to_pylist()
        assert len(keys) == len(set(keys)) > 150
    finally:
        stop(home)
