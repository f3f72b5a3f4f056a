"""Transactional producers: only committed records are read, and a drain always ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Producer

import social_assets.ingest.kafka.reader
from resources.kafka.resource import KafkaResource
from tests.integration.kafka.kafka_producing import (
    PLENTY,
    await_transactions,
    ends,
    numbered,
    offsets,
    produce,
    read_all,
    reader,
    values,
)

pytestmark = pytest.mark.kafka

MakeTopic = Callable[..., str]


class Transactional:
    """A producer whose records become visible when it commits."""

    def __init__(self, kafka: KafkaResource, topic: str) -> None:
        self.kafka = kafka
        self.topic = topic
        settings = {**kafka.client_settings(), "transactional.id": uuid4().hex}
        self.producer = Producer(settings)
        self.producer.init_transactions(60)

    def write(self, values: list[bytes]) -> None:
        for value in values:
            self.producer.produce(self.topic, value, partition=0)
        self.producer.flush()

    def committed(self, values: list[bytes]) -> None:
        self.producer.begin_transaction()
        self.write(values)
        self.producer.commit_transaction(60)
        await_transactions(self.kafka, self.topic)

    def aborted(self, values: list[bytes]) -> None:
        self.producer.begin_transaction()
        self.write(values)
        self.producer.abort_transaction(60)
        await_transactions(self.kafka, self.topic)


@pytest.fixture
def name(topic: MakeTopic) -> str:
    return topic(1)


@pytest.fixture
def transactional(kafka: KafkaResource, name: str) -> Iterator[Transactional]:
    yield Transactional(kafka, name)


def test_aborted_records_are_skipped(
    kafka: KafkaResource, name: str, transactional: Transactional
) -> None:
    transactional.committed(numbered(0, 10))
    transactional.aborted(numbered(10, 20))
    transactional.committed(numbered(20, 30))
    with reader(kafka, name) as r:
        read = read_all(r, ends(kafka, name))
    assert values(read.records) == numbered(0, 10) + numbered(20, 30)
    assert read.next_offsets == ends(kafka, name) == {0: 33}
    assert read.gaps == ()


def test_a_range_whose_last_records_are_aborted_is_read_to_its_end(
    kafka: KafkaResource, name: str, transactional: Transactional
) -> None:
    transactional.committed(numbered(0, 10))
    transactional.aborted(numbered(10, 5000))
    with reader(kafka, name) as r:
        read = read_all(r, ends(kafka, name))
        again = read_all(r, ends(kafka, name))
    assert values(read.records) == numbered(0, 10)
    assert read.next_offsets == again.next_offsets == ends(kafka, name)


def test_the_last_records_are_taken_when_the_end_is_told_along_with_them(
    kafka: KafkaResource, name: str, transactional: Transactional, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Waits until librdkafka has added its end event after the records.
    monkeypatch.setattr(social_assets.ingest.kafka.reader, "_SLICE_SECONDS", 2.0)
    transactional.committed(numbered(0, 10))
    with reader(kafka, name) as r:
        first = read_all(r, ends(kafka, name))
        transactional.committed(numbered(11, 21))
        second = read_all(r, ends(kafka, name))
    assert values(first.records) == numbered(0, 10)
    assert values(second.records) == numbered(11, 21)


def test_an_end_amid_aborted_records_is_reached(
    kafka: KafkaResource, name: str, transactional: Transactional
) -> None:
    transactional.aborted(numbered(0, 100))
    transactional.committed(numbered(100, 110))
    with reader(kafka, name) as r:
        first = read_all(r, {0: 50})
        second = read_all(r, ends(kafka, name))
    assert first.next_offsets[0] >= 50
    assert values(first.records) + values(second.records) == numbered(100, 110)


def test_an_open_transaction_holds_back_what_follows_until_it_is_committed(
    kafka: KafkaResource, name: str, transactional: Transactional
) -> None:
    produce(kafka, name, [b"before"])
    transactional.producer.begin_transaction()
    transactional.write([b"open"])
    produce(kafka, name, [b"after"])
    assert ends(kafka, name) == {0: 1}
    with reader(kafka, name) as r:
        first = r.read({0: 3}, PLENTY, PLENTY, linger_seconds=0.2)
        held = r.read({0: 3}, PLENTY, PLENTY, linger_seconds=0.2)
        transactional.producer.commit_transaction(60)
        await_transactions(kafka, name)
        freed = read_all(r, ends(kafka, name))
    assert values(first.records) == [b"before"]
    assert held.records.num_rows == 0
    assert held.next_offsets == first.next_offsets == {0: 1}
    assert values(freed.records) == [b"open", b"after"]
    assert offsets(freed.records) == [1, 2]
    assert freed.next_offsets == ends(kafka, name)
