"""The answers of the Kafka resource, their time, and its errors if brokers do not answer."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
from kafka.admin import KafkaAdminClient

from resources.kafka import admin as kafka_admin
from resources.kafka.resource import KafkaRefusedError, KafkaResource, KafkaUnreachableError
from resources.kafka.settings import BOOTSTRAP_SERVERS, SASL_PASSWORD, KafkaSettings
from resources.machine.ports import free_port
from tests.integration.kafka.conftest import Broker
from tests.integration.kafka.kafka_producing import numbered, produce

pytestmark = pytest.mark.kafka

MakeTopic = Callable[..., str]


def test_offsets_are_those_of_every_partition(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(3)
    produce(kafka, name, numbered(0, 10), partition=0)
    produce(kafka, name, numbered(0, 5), partition=2)
    offsets = kafka.offsets(name)
    assert offsets is not None
    assert offsets.earliest == {0: 0, 1: 0, 2: 0}
    assert offsets.end == {0: 10, 1: 0, 2: 5}
    assert offsets.topic_id == kafka.topic_id(name) != ""


def test_a_topic_that_is_not_there_has_no_offsets_and_no_id(kafka: KafkaResource) -> None:
    assert kafka.offsets("nobody_made_it") is None
    assert kafka.topic_id("nobody_made_it") is None
    assert kafka.offsets("nobody_made_it") is None, "asking made it"


def test_making_a_topic_again_leaves_it_as_it_is(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(2, retention_ms="3600000")
    produce(kafka, name, numbered(0, 10))
    before = kafka.offsets(name)
    kafka.create_topic(name, 5)
    assert kafka.offsets(name) == before


def test_a_topic_that_cannot_be_made_is_refused_with_the_reason(kafka: KafkaResource) -> None:
    with pytest.raises(KafkaRefusedError, match="topic a b: "):
        kafka.create_topic("a b")
    with pytest.raises(KafkaRefusedError, match="no_such_setting"):
        kafka.create_topic("configured", config={"no_such_setting": "1"})


def test_committed_offsets_are_what_operators_see(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(2)
    kafka.commit("operators", name, {0: 7, 1: 3})
    kafka.commit("operators", name, {0: 8})
    admin = KafkaAdminClient(bootstrap_servers=kafka.client_settings()["bootstrap.servers"])
    (told,) = admin.list_group_offsets({"operators": None}).values()
    admin.close()
    mine = {p.partition: o.offset for p, o in told.items() if p.topic == name}
    assert mine == {0: 8, 1: 3}


def test_offsets_of_a_topic_that_is_gone_are_refused(kafka: KafkaResource) -> None:
    with pytest.raises(KafkaRefusedError, match="group operators: there is no topic gone any more"):
        kafka.commit("operators", "gone", {0: 7})


def test_many_threads_may_ask_at_once(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(2)
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(kafka.offsets(name))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [kafka.offsets(name)] * 8


def test_asking_for_offsets_takes_little_of_the_processor(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(4)
    kafka.offsets(name)
    began = time.process_time()
    for _ in range(50):
        kafka.offsets(name)
    assert (time.process_time() - began) / 50 < 0.020


def test_a_broker_that_hangs_does_not_hold_the_caller(
    broker: Broker, kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    before = kafka.offsets(name)
    pid = broker.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(KafkaUnreachableError, match=f"{broker.servers} within 0.5 s"):
            kafka.offsets(name, timeout_seconds=0.5)
        assert time.monotonic() - started < 1.5
    finally:
        os.kill(pid, signal.SIGCONT)
    assert kafka.offsets(name, timeout_seconds=30) == before


def test_a_broker_that_was_restarted_is_found_again(
    broker: Broker, kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 10))
    before = kafka.offsets(name)
    broker.stop()
    threads = threading.active_count()
    for _ in range(5):
        with pytest.raises(KafkaUnreachableError, match="kafka start"):
            kafka.offsets(name, timeout_seconds=0.3)
    assert threading.active_count() <= threads + 6
    broker.start()
    assert kafka.offsets(name, timeout_seconds=30) == before


def test_no_broker_at_all_is_an_error_within_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv(BOOTSTRAP_SERVERS, address)
    started = time.monotonic()
    with pytest.raises(KafkaUnreachableError, match=f"(?s){address}.*{BOOTSTRAP_SERVERS}"):
        KafkaResource().offsets("any", timeout_seconds=1)
    assert time.monotonic() - started < 3


def test_a_refused_login_tells_no_password(
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv(BOOTSTRAP_SERVERS, broker.servers)
    monkeypatch.setenv("SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    monkeypatch.setenv("SOCIAL_ASSETS_KAFKA_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("SOCIAL_ASSETS_KAFKA_SASL_USERNAME", "somebody")
    monkeypatch.setenv(SASL_PASSWORD, "s3cret-never-shown")
    resource = KafkaResource()
    with pytest.raises(KafkaUnreachableError) as caught:
        resource.offsets("any", timeout_seconds=2)
    shown = [str(caught.value), repr(caught.value), repr(resource), caplog.text]
    shown += [repr(resource.client_settings()), str(resource.client_settings())]
    shown += capfd.readouterr()
    assert "s3cret" not in "".join(shown)
    assert SASL_PASSWORD in str(caught.value)


@pytest.mark.usefixtures("kafka")
def test_a_question_goes_on_when_another_one_closed_its_client(topic: MakeTopic) -> None:
    """A request that timed out closes its client."""
    settings, name = KafkaSettings.from_environment(), topic(1)
    assert settings is not None
    given: list[KafkaAdminClient] = []

    def question(client: KafkaAdminClient) -> list[str]:
        if not given:
            connection = kafka_admin._connection(settings)
            kafka_admin._forget(connection)
            connection.close()
        given.append(client)
        return [each for each in client.list_topics() if each == name]

    assert kafka_admin.ask(settings, "asking after a topic", 20, question) == [name]
    assert len(set(map(id, given))) > 1
