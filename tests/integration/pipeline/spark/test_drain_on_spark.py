"""Drains on Spark and on one machine take turns on a topic: nothing is lost and nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.lake.delta import LakeTable
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.topics.drain import drain
from social_assets.pipeline.topics.topic_source import Limits
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.integration.pipeline.accounts import counts
from tests.integration.pipeline.spark.topic import TOPIC, jars, send
from tests.lake_of_tests import lake_in

pytestmark = pytest.mark.spark

QUICK = Limits(seconds=60, quiet_seconds=0.2, pace_seconds=0.05, away_seconds=30)
SCRIPT = Path(__file__).with_name("drain_process.py")


def drain_on_spark(folder: Path, how: str = "") -> int:
    told = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path[1:], str(Path.cwd())])}
    command = [sys.executable, str(SCRIPT), str(folder), *([how] if how else [])]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-3000:]
    return done.returncode


def values(table: LakeTable) -> list[str]:
    """All rows, without what tells when and in which micro-batch they came."""
    rows = table.read()
    names = sorted({*rows.column_names} - {"ingested_at", "batch_id"})
    return sorted(map(str, zip(*(rows[name].to_pylist() for name in names), strict=True)))


def test_both_kinds_of_drain_take_turns_and_one_is_killed(
    stream: Callable[[str], StreamStores],
    clickhouse: ClickHouseResource,
    kafka: KafkaResource,
    tmp_path: Path,
) -> None:
    stores = stream(TOPIC)
    Home.from_environment().spark.symlink_to(jars("spark"))
    send(kafka, 0, 600)
    assert drain_on_spark(tmp_path, "kill") == -signal.SIGKILL
    landed = sum(stores.raw.rows_by_day().values())
    assert 250 < landed < 600
    assert sum(stores.cleaned.rows_by_day().values()) < landed / 2
    drain(stores, kafka, lambda _: None, QUICK)
    assert counts(stores).raw == 600
    send(kafka, 500, 1_000)
    assert drain_on_spark(tmp_path, "twice") == 0
    found = counts(stores)
    assert found.raw == 1_100
    assert found.cleaned > 400
    drain(stores, kafka, lambda _: None, QUICK)
    assert counts(stores) == found
    tables = [values(table) for table in (stores.raw, stores.cleaned, stores.quarantine)]
    ledger = sum(entry.records for entry in stores.ledger.entries("raw"))
    assert ledger == 1_100
    with clickhouse.client() as client:
        client.command("DROP DATABASE IF EXISTS cleaned SYNC")
    lake = lake_in(tmp_path / "other")
    alone = Stores(lake, DuckDBEngine(tmp_path / "other"), clickhouse).of(contract(TOPIC))
    drain(alone, kafka, lambda _: None, QUICK)
    assert tables == [values(table) for table in (alone.raw, alone.cleaned, alone.quarantine)]
    assert counts(alone) == found
