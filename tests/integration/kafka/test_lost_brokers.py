"""Three brokers, each topic on all of them: what a producer and a drain see when some are killed.

`bench.faults.lost_brokers` prints the same with the longest pauses.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.faults.lost_brokers import lose_each_in_turn, lose_two
from bench.faults.three_brokers import NODES, ThreeBrokers
from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse.lifecycle import stop
from resources.kafka.replication import FACTOR, MIN_IN_SYNC
from resources.kafka.resource import KafkaRefusedError, KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.doctor.services import kafka as examined
from tests.integration.kafka.conftest import JARS, Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def longest_pause_seconds() -> float:
    """The promise of 10 s is for a machine that has time: a busy one starves every process."""
    is_busy = os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
    return 40.0 if is_busy else 10.0


@pytest.fixture
def cluster(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreeBrokers]:
    """The cluster that the environment names, with its replication."""
    with (
        tempfile.TemporaryDirectory(prefix="brokers") as folder,
        ThreeBrokers(Path(folder), JARS) as running,
    ):
        monkeypatch.setenv(BOOTSTRAP_SERVERS, running.servers)
        monkeypatch.setenv(FACTOR, "3")
        yield running


@pytest.fixture
def home(deployed_home: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    made = deployed_home("lost_brokers")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(made.path))
    monkeypatch.setenv("DAGSTER_HOME", str(made.dagster))
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    yield made
    stop(made)


def test_each_broker_is_killed_under_load_and_nothing_is_lost_doubled_or_late(
    home: Home, cluster: ThreeBrokers
) -> None:
    lost = lose_each_in_turn(home, cluster, rate=500)
    assert list(lost.wrong) == []
    assert lost.sent.records > 5_000
    assert lost.sent.longest_pause_seconds <= longest_pause_seconds()
    assert lost.drained.longest_seconds <= longest_pause_seconds()


def test_two_lost_brokers_refuse_with_a_remedy_and_keep_what_they_acknowledged(
    home: Home, cluster: ThreeBrokers
) -> None:
    lost = lose_two(cluster)
    assert lost.acknowledged > 1_000
    assert lost.acknowledged_while_lost == 0
    assert lost.missing == lost.doubled == []
    texts = set(lost.refused)
    assert texts and all("topic engagement_events" in text for text in texts)
    assert all(f"Start the brokers of {cluster.servers} that are down" in text for text in texts)


def test_topics_are_made_with_the_replicas_of_the_setting_and_the_doctor_names_what_is_missing(
    home: Home, cluster: ThreeBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = KafkaResource()
    kafka.create_topic("posts", 1)
    assert cluster.in_sync("posts") == set(NODES)
    monkeypatch.setenv(FACTOR, "4")
    with pytest.raises(KafkaRefusedError, match=rf"posts_4 with 4 replicas.*set {FACTOR}"):
        kafka.create_topic("posts_4", 1)
    monkeypatch.setenv(FACTOR, "1")
    monkeypatch.setenv(MIN_IN_SYNC, "1")
    kafka.create_topic("video_interactions", 1)

    monkeypatch.setenv(FACTOR, "3")
    monkeypatch.delenv(MIN_IN_SYNC)
    cluster.kill(next(n for n in NODES if n != cluster.leader("video_interactions")))
    while len(cluster.in_sync("posts")) == len(NODES):
        pass
    told = {each.found for each in examined(home)}
    assert any("posts: 1 of 1 partitions" in text and "2 of 3" in text for text in told), told
    assert any("video_interactions has 1 replica" in text for text in told), told
