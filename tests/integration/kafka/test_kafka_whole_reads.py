"""A topic that is read in parts of any size gives each committed record once, in order."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from uuid import uuid4

import numpy as np
import pytest
from confluent_kafka import Producer

import social_assets.ingest.kafka.reader
from resources.kafka.resource import KafkaResource
from social_assets.ingest.kafka.reader import Read
from tests.integration.kafka.kafka_producing import await_transactions, ends, reader

pytestmark = pytest.mark.kafka

PARTITIONS = 3


@pytest.fixture(scope="module")
def written() -> dict[str, dict[int, list[int]]]:
    """The topic of this module: partition -> offsets of its committed records."""
    return {}


@pytest.fixture
def mixed_topic(
    kafka: KafkaResource, topic: Callable[..., str], written: dict[str, dict[int, list[int]]]
) -> str:
    """Transactions of all sizes, some aborted, on partitions of different length."""
    if not written:
        name = topic(PARTITIONS)
        written[name] = write_transactions(kafka, name, random.Random(3))  # noqa: S311
    return next(iter(written))


def write_transactions(
    kafka: KafkaResource, name: str, chance: random.Random
) -> dict[int, list[int]]:
    committed: dict[int, list[int]] = {p: [] for p in range(PARTITIONS)}
    settings = {**kafka.client_settings(), "transactional.id": uuid4().hex}
    producer = Producer(settings)
    producer.init_transactions(60)
    for _ in range(60):
        producer.begin_transaction()
        taken: list[tuple[int, int]] = []
        for _ in range(chance.choice([1, 5, 50, 400])):
            producer.produce(
                name,
                bytes(chance.choice([0, 20, 2000])),
                partition=chance.choice([0, 0, 0, 0, 1, 1, 2]),
                on_delivery=lambda _, m, taken=taken: taken.append((m.partition(), m.offset())),
            )
        producer.flush()
        if chance.random() < 0.3:
            producer.abort_transaction(60)
        else:
            producer.commit_transaction(60)
            for partition, offset in taken:
                committed[partition].append(offset)
    await_transactions(kafka, name)
    return committed


def expected(
    committed: Mapping[int, list[int]], begin: Mapping[int, int], read: Read
) -> list[tuple[int, int]]:
    return [
        (p, offset)
        for p in sorted(committed)
        for offset in committed[p]
        if begin[p] <= offset < read.next_offsets[p]
    ]


@pytest.mark.parametrize("seed", range(25))
def test_each_reading_has_all_committed_records_of_the_range_that_it_tells(
    kafka: KafkaResource,
    mixed_topic: str,
    written: dict[str, dict[int, list[int]]],
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(seed)  # noqa: S311
    committed, whole = written[mixed_topic], ends(kafka, mixed_topic)
    # From a short time to one in which the end always comes with the last records.
    slice_seconds = chance.choice([0.001, 0.05, 0.5])
    monkeypatch.setattr(social_assets.ingest.kafka.reader, "_SLICE_SECONDS", slice_seconds)
    positions = {p: chance.randrange(end) for p, end in whole.items()}
    with reader(
        kafka, mixed_topic, positions, buffer_bytes=chance.choice([1 << 14, 1 << 20, 1 << 26])
    ) as r:
        while positions != whole:
            asked = {p: chance.randint(0, end) for p, end in whole.items()}
            read = r.read(
                whole if chance.random() < 0.3 else asked,
                chance.choice([1, 10, 1000, 100_000]),
                chance.choice([1, 10_000, 1 << 20]),
                chance.choice([0.0, 0.01, 2.0]),
            )
            partitions = read.records.column("partition").to_numpy()
            places = zip(
                partitions.tolist(), read.records.column("offset").to_pylist(), strict=True
            )
            assert list(places) == expected(committed, positions, read)
            assert all(read.next_offsets[p] >= at for p, at in positions.items())
            assert np.all(np.diff(partitions) >= 0)
            positions = dict(read.next_offsets)
