"""How many brokers have each record comes from the environment, and a wrong value is named."""

from __future__ import annotations

import pytest

from resources.kafka.replication import FACTOR, MIN_IN_SYNC, Replication
from resources.kafka.settings import KafkaSettingsError


@pytest.mark.parametrize(("factor", "majority"), [(1, 1), (2, 2), (3, 2), (5, 3)])
def test_a_factor_alone_wants_a_majority_in_sync(factor: int, majority: int) -> None:
    found = Replication.from_environment({FACTOR: str(factor)})
    assert found == Replication(factor, majority)
    assert found.topic_config == {"min.insync.replicas": str(majority)}


def test_without_variables_the_brokers_decide() -> None:
    found = Replication.from_environment({FACTOR: "", MIN_IN_SYNC: " "})
    assert found.factor_for_brokers == -1
    assert found.topic_config == {}


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({FACTOR: "three"}, f"{FACTOR} is 'three'"),
        ({FACTOR: "0"}, f"{FACTOR} is '0'"),
        ({MIN_IN_SYNC: "2"}, f"{FACTOR} is not set"),
        ({FACTOR: "3", MIN_IN_SYNC: "4"}, f"set {MIN_IN_SYNC} to 2"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(environment: dict[str, str], told: str) -> None:
    with pytest.raises(KafkaSettingsError, match=told):
        Replication.from_environment(environment)
