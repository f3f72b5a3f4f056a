"""What a producer is told of records that no broker acknowledges."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError, Producer

from resources.kafka.durable import DURABLE, flush, not_taken


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_records_without_an_answer_are_given_up_and_each_is_told_why(silent: str) -> None:
    told: list[str] = []

    def heed(error: KafkaError | None, _: object) -> None:
        assert error is not None
        told.append(not_taken(error, "posts", silent))

    producer = Producer({"bootstrap.servers": silent, "log_level": 0, **DURABLE})
    for _ in range(3):
        producer.produce("posts", b"{}", on_delivery=heed)
    flush(producer, 0.1)
    assert len(told) == 3 and len(producer) == 0
    assert all(text.startswith("topic posts: not acknowledged by enough brokers") for text in told)
    assert all(f"Start the brokers of {silent} that are down" in text for text in told)


@pytest.mark.parametrize(
    "code", [KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_INFLIGHT, KafkaError._ALL_BROKERS_DOWN]
)
def test_too_few_brokers_are_named_with_the_remedy(code: int) -> None:
    assert "Start the brokers of k:1 that are down" in not_taken(KafkaError(code), "posts", "k:1")


@pytest.mark.parametrize(
    "code", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.MSG_SIZE_TOO_LARGE]
)
def test_other_refusals_name_topic_brokers_and_the_doctor(code: int) -> None:
    text = not_taken(KafkaError(code), "posts", "k:1")
    assert text.startswith("topic posts: ") and "`social-assets doctor` examines" in text
    assert "k:1" in text and "Start the brokers" not in text
