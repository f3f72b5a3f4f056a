"""Processes are killed under load and backfills, and every row is counted.

`bench.faults.under_load` runs a hundred rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bench.faults.under_load import FAULTS, KILL_BACKFILL, Platform, report, run_rounds
from resources.clickhouse.resource import URL_VARIABLE
from resources.dagster.event_log import BATCH_SIZE, BATCH_SIZE_VARIABLE
from resources.embedded_clickhouse.lifecycle import stop
from resources.kafka.resource import KafkaResource
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from tests.integration.kafka.conftest import JARS, Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

ROUNDS, SEED = 6, 390


@pytest.fixture
def platform(
    broker: Broker,
    kafka: KafkaResource,
    deployed_home: Callable[[str], Home],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Platform]:
    """A temporary home, whose ClickHouse is killed, and the worker's broker."""
    home = deployed_home("faults")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    monkeypatch.setenv(BATCH_SIZE_VARIABLE, str(BATCH_SIZE))
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    yield Platform(home, broker.home, JARS)
    stop(home)


def test_after_kills_of_all_there_is_while_days_are_made_anew_nothing_is_lost_or_doubled(
    platform: Platform,
) -> None:
    outcome = run_rounds(platform, ROUNDS, SEED, rate=1_000, is_backfilled=True)
    assert outcome.wrong == [], report(outcome)
    assert outcome.rounds.keys() == {fault.name for fault in (*FAULTS, KILL_BACKFILL)}
    assert outcome.sent is not None
    assert outcome.sent.records > 1_000
