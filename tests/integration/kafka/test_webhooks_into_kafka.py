"""The receiver with Kafka behind it: an event that was answered 200 is in its topic."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from uuid import uuid4

import pytest

from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS, KafkaSettings
from resources.machine.ports import free_port
from resources.settings.home import Home
from social_assets.contracts.contract import TOPIC_PREFIX
from social_assets.ingest.webhooks.webhook import WebhookEvent
from social_assets.serving.webhooks.kafka_log import KafkaLog
from tests.integration.kafka.conftest import Broker
from tests.integration.kafka.kafka_producing import ends, read_all, reader, values
from tests.integration.serving.webhooks.receiver_bed import (
    Senders,
    reactions,
    receiver,
    store_secrets,
    workers,
)

pytestmark = pytest.mark.kafka

NOTICES = "webhook_notices"


@pytest.fixture
def prefix(kafka: KafkaResource, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of topics that no other test has."""
    made = f"t{uuid4().hex[:8]}_"
    monkeypatch.setenv(TOPIC_PREFIX, made)
    return made


def in_topic(kafka: KafkaResource, topic: str) -> list[str]:
    """Who reacted, in all records of a topic."""
    read = read_all(reader(kafka, topic), ends(kafka, topic))
    found = [json.loads(value or b"") for value in values(read.records)]
    return [json.loads(each["payload"])["value"]["from"]["id"] for each in found]


def test_events_are_in_the_topic_when_they_are_answered(
    kafka: KafkaResource, prefix: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    with receiver(home) as running:
        for number in range(0, 30, 3):
            delivery = reactions(number, number + 1, number + 2)
            assert running.post("facebook", delivery).status_code == 200
        running.kill()
    assert sorted(in_topic(kafka, prefix + NOTICES), key=int) == [str(n) for n in range(30)]
    assert not home.landing.exists()


def test_a_broker_that_is_away_is_answered_503_until_it_is_back(
    broker: Broker, kafka: KafkaResource, prefix: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    with receiver(home) as running:
        assert running.post("facebook", reactions(1)).status_code == 200
        broker.stop()
        try:
            assert running.post("facebook", reactions(2)).status_code == 503
        finally:
            broker.start()
        assert running.post("facebook", reactions(3)).status_code == 200
    found = in_topic(kafka, prefix + NOTICES)
    assert {"1", "3"} <= set(found)


def test_a_topic_that_refuses_an_event_takes_the_next_ones(
    kafka: KafkaResource, prefix: str
) -> None:
    kafka.create_topic(prefix + NOTICES, 1, {"max.message.bytes": "2000"})
    settings = KafkaSettings.from_environment()
    assert settings is not None
    log = KafkaLog(settings, {NOTICES: prefix + NOTICES})
    assert log.write([WebhookEvent(NOTICES, b"1")]) == {}
    noise = WebhookEvent(NOTICES, os.urandom(10_000))  # cannot be compressed
    (failure,) = log.write([noise]).values()
    assert "size" in failure.lower()
    assert log.write([WebhookEvent(NOTICES, b"2")]) == {}
    read = read_all(reader(kafka, prefix + NOTICES), ends(kafka, prefix + NOTICES))
    assert values(read.records) == [b"1", b"2"]


def test_a_cluster_that_is_not_there_is_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BOOTSTRAP_SERVERS, "127.0.0.1:1")
    home = Home(tmp_path / "home")
    store_secrets(home)
    with (
        pytest.raises(RuntimeError, match=r"no answer from Kafka at 127\.0\.0\.1:1"),
        receiver(home),
    ):
        pass


@pytest.mark.endurance
def test_no_event_that_was_answered_is_lost_when_processes_are_killed(
    kafka: KafkaResource, prefix: str, tmp_path: Path
) -> None:
    home, port = Home(tmp_path / "home"), free_port()
    store_secrets(home)
    senders = Senders(f"http://127.0.0.1:{port}", threads=8)
    try:
        for _ in range(5):
            with receiver(home, "--processes", "2", port=port) as running:
                senders.wait_for(len(senders.accepted) + 300)
                os.kill(min(workers(running)), signal.SIGKILL)
                senders.wait_for(len(senders.accepted) + 300)
                running.kill()
    finally:
        senders.stop()
    assert len(senders.accepted) > 3000
    assert senders.accepted <= set(in_topic(kafka, prefix + NOTICES))
