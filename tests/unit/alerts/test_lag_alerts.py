"""A lag above the contract's limits causes an alert."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaUnreachableError, TopicOffsets
from resources.settings.home import ENVIRONMENT_VARIABLE
from social_assets.alerts.active import FailureKind, Observation, Severity
from social_assets.alerts.kinds.stale_streams import observe_streams
from social_assets.contracts.registry import contract
from social_assets.defs.stores import LAKE_URL, StoresResource


@dataclass(frozen=True)
class Topic:
    """A broker with one topic of so many records; None: the broker does not answer."""

    records: int | None

    def is_configured(self) -> bool:
        return True

    def offsets(self, topic: str, timeout_seconds: float) -> TopicOffsets:
        if self.records is None:
            raise KafkaUnreachableError("nowhere", "asking", timeout_seconds)
        return TopicOffsets(topic, "", {0: 0}, {0: self.records})


@pytest.fixture(autouse=True)
def empty_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv(LAKE_URL, raising=False)


def look(records: int | None) -> Observation:
    stream = replace(contract("posts"), lag_warn_above=10, lag_fail_above=20)
    stores = StoresResource(clickhouse=ClickHouseResource())
    return observe_streams([stream], stores, Topic(records))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("records", "told"), [(10, []), (11, [Severity.WARN]), (21, [Severity.ERROR])]
)
def test_a_lag_over_the_contracts_limits_is_told(records: int, told: list[Severity]) -> None:
    active = look(records).active
    assert [failure.severity for failure in active] == told
    assert {failure.kind for failure in active} <= {FailureKind.LAG}
    assert all(f"{records} offsets ahead" in failure.detail for failure in active)


def test_of_a_broker_that_is_away_nothing_is_known() -> None:
    found = look(None)
    assert [failure.kind for failure in found.active] == [FailureKind.BLIND]
    assert found.is_unknown("lag/posts")
