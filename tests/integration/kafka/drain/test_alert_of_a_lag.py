"""Alerts of a lag, and of a broker that does not answer, with a real broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.settings.home import ENVIRONMENT_VARIABLE
from social_assets.alerts.active import FailureKind, Observation, Severity
from social_assets.alerts.kinds import stale_streams
from social_assets.alerts.kinds.stale_streams import observe_streams
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract
from social_assets.defs.stores import LAKE_URL, StoresResource
from tests.integration.kafka.conftest import Broker
from tests.integration.kafka.kafka_producing import numbered, produce

pytestmark = pytest.mark.kafka


@pytest.fixture
def behind(
    kafka: KafkaResource, topic: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Contract:
    """A stream whose topic is 20 offsets ahead of an empty lake."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv(LAKE_URL, raising=False)
    name = topic()
    produce(kafka, name, numbered(0, 20))
    return replace(contract("posts"), topic=name)


def look(stream: Contract, kafka: KafkaResource) -> Observation:
    return observe_streams([stream], StoresResource(clickhouse=ClickHouseResource()), kafka)


@pytest.mark.parametrize(
    ("warn_above", "fail_above", "told"),
    [(20, 20, []), (19, 20, [Severity.WARN]), (5, 19, [Severity.ERROR])],
)
def test_a_lag_over_the_contracts_limits_is_told(
    behind: Contract,
    kafka: KafkaResource,
    warn_above: int,
    fail_above: int,
    told: list[Severity],
) -> None:
    stream = replace(behind, lag_warn_above=warn_above, lag_fail_above=fail_above)
    active = look(stream, kafka).active
    assert [failure.severity for failure in active] == told
    assert all("20 offsets ahead" in failure.detail for failure in active)


def test_of_a_broker_that_is_away_nothing_is_known(
    behind: Contract, kafka: KafkaResource, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_streams, "BROKER_SECONDS", 1.0)
    broker.stop()
    try:
        found = look(replace(behind, lag_warn_above=5), kafka)
    finally:
        broker.start()
    assert [failure.kind for failure in found.active] == [FailureKind.BLIND]
    assert found.is_unknown("lag/posts")
