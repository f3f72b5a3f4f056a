"""A reading of a range is complete, for any records from any producer."""

from __future__ import annotations

import time
from collections.abc import Callable

import duckdb
import pytest
from confluent_kafka import Producer

from resources.kafka.resource import KafkaResource
from social_assets.ingest.kafka.reader import KAFKA_RECORDS
from social_assets.ingest.kafka.records import UNREADABLE_HEADERS
from tests.integration.kafka.kafka_producing import (
    PLENTY,
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


def test_a_range_is_read_whole_and_in_order(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(2)
    produce(kafka, name, numbered(0, 1000), partition=0)
    produce(kafka, name, numbered(0, 500), partition=1)
    with reader(kafka, name, {0: 100, 1: 200}) as r:
        read = read_all(r, {0: 1000, 1: 500})
    records = read.records
    records.validate(full=True)
    assert records.schema == KAFKA_RECORDS
    assert values(records) == numbered(100, 1000) + numbered(200, 500)
    assert offsets(records) == [*range(100, 1000), *range(200, 500)]
    assert records.column("partition").to_pylist() == [0] * 900 + [1] * 300
    assert read.next_offsets == {0: 1000, 1: 500}
    assert read.gaps == ()


def test_each_reading_goes_on_where_the_last_one_ended(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 1000))
    with reader(kafka, name) as r:
        parts = [r.read({0: 1000}, 300, PLENTY, linger_seconds=5) for _ in range(4)]
    assert [p.records.num_rows for p in parts] == [300, 300, 300, 100]
    assert [p.next_offsets[0] for p in parts] == [300, 600, 900, 1000]
    assert [v for p in parts for v in values(p.records)] == numbered(0, 1000)


def test_a_partition_at_its_end_goes_on_while_others_are_short_of_theirs(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(2)
    produce(kafka, name, numbered(0, 5000), partition=0)
    produce(kafka, name, numbered(0, 5000), partition=1)
    with reader(kafka, name) as r:
        first = read_all(r, {0: 10, 1: 4000})
        assert first.next_offsets[0] >= 10
        assert first.next_offsets[1] >= 4000
        assert offsets(first.records) == [
            *range(first.next_offsets[0]),
            *range(first.next_offsets[1]),
        ]
        second = read_all(r, {0: 5000, 1: 5000})
    assert offsets(second.records) == [
        *range(first.next_offsets[0], 5000),
        *range(first.next_offsets[1], 5000),
    ]


def test_a_reading_ends_when_it_has_its_bytes(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(1)
    produce(kafka, name, [bytes(1000)] * 10_000)
    with reader(kafka, name) as r:
        read = r.read({0: 10_000}, PLENTY, 2_000_000, linger_seconds=5)
    assert 2000 <= read.records.num_rows < 2600
    assert read.next_offsets[0] == read.records.num_rows


def test_a_reading_ends_some_time_after_its_first_record(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 10))
    with reader(kafka, name) as r:
        started = time.monotonic()
        read = r.read({0: 1_000_000}, PLENTY, PLENTY, linger_seconds=0.3)
        seconds = time.monotonic() - started
    assert values(read.records) == numbered(0, 10)
    assert 0.3 <= seconds < 5


def test_nothing_to_read_is_an_empty_reading(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(1)
    with reader(kafka, name) as r:
        read = read_all(r, ends(kafka, name))
    assert read.records.num_rows == 0
    assert read.records.schema == KAFKA_RECORDS
    assert read.next_offsets == {0: 0}


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_compression_is_read(kafka: KafkaResource, topic: MakeTopic, codec: str) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 3000), compression_type=codec)
    with reader(kafka, name, {0: 17}) as r:
        read = read_all(r, {0: 3000})
    assert values(read.records) == numbered(17, 3000)


def test_records_of_a_megabyte_and_more_are_read(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(1)
    large = [bytes([n]) * 1_048_576 for n in range(20)]
    produce(kafka, name, large, message_max_bytes=8_000_000)
    produce(kafka, name, [b"x" * 5_000_000], message_max_bytes=8_000_000)
    with reader(kafka, name) as r:
        read = read_all(r, {0: 21})
    assert values(read.records) == [*large, b"x" * 5_000_000]


def test_bytes_are_bytes_and_a_tombstone_is_null(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(1)
    poison: list[bytes | None] = [b"\xff\xfe\x00", b"", None, b"{broken", bytes(range(256)), None]
    produce(kafka, name, poison)
    with reader(kafka, name) as r:
        read = read_all(r, {0: 6})
    assert values(read.records) == poison
    assert read.records.column("key").null_count == 6


def test_key_and_time_are_kept(kafka: KafkaResource, topic: MakeTopic) -> None:
    name = topic(1)
    producer = Producer(dict(kafka.client_settings()))
    producer.produce(name, b"v", b"k\xff", timestamp=1_700_000_000_123)
    producer.produce(name, b"v", b"", timestamp=1_000)
    producer.flush()
    with reader(kafka, name) as r:
        records = read_all(r, {0: 2}).records
    assert records.column("key").to_pylist() == [b"k\xff", b""]
    assert records.column("timestamp").cast("int64").to_pylist() == [
        1_700_000_000_123_000,
        1_000_000,
    ]


def test_every_header_is_kept_also_of_a_name_that_repeats(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, [b"none"])
    produce(kafka, name, [b"some"], headers=[("trace", b"\xff"), ("empty", None)])
    repeated = [("a", b"1"), ("a", b"2"), ("a#2", b"3"), ("a", None)]
    produce(kafka, name, [b"repeated"], headers=repeated)
    with reader(kafka, name) as r:
        records = read_all(r, {0: 3}).records
    records.validate(full=True)
    assert records.column("headers").to_pylist() == [
        None,
        [("trace", b"\xff"), ("empty", None)],
        [("a", b"1"), ("a#3", b"2"), ("a#2", b"3"), ("a#4", None)],
    ]
    assert duckdb.sql("SELECT cardinality(headers) FROM records").fetchall() == [
        (None,),
        (2,),
        (4,),
    ]


def test_a_header_whose_name_is_no_text_does_not_stop_the_reading(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    from kafka import KafkaProducer

    class NoText(str):
        def encode(self, *_: object) -> bytes:  # type: ignore[override]
            return b"\xff\xfe"

    name = topic(1)
    with KafkaProducer(bootstrap_servers=kafka.client_settings()["bootstrap.servers"]) as producer:
        producer.send(name, b"bad", headers=[(NoText("x"), b"1")])
        producer.flush()
    produce(kafka, name, [b"good"], headers=[("a", b"1")])
    with reader(kafka, name) as r:
        records = read_all(r, {0: 2}).records
    assert values(records) == [b"bad", b"good"]
    assert records.column("headers").to_pylist() == [[(UNREADABLE_HEADERS, None)], [("a", b"1")]]


def test_a_partition_added_is_read_by_the_same_reader(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    from kafka.admin import KafkaAdminClient

    name = topic(1)
    produce(kafka, name, numbered(0, 100))
    with reader(kafka, name) as r:
        read_all(r, {0: 100})
        admin = KafkaAdminClient(bootstrap_servers=kafka.client_settings()["bootstrap.servers"])
        admin.create_partitions({name: 3})
        admin.close()
        while ends(kafka, name).keys() != {0, 1, 2}:
            time.sleep(0.05)
        produce(kafka, name, numbered(0, 50), partition=2)
        r.add(2, 0)
        read = read_all(r, {0: 100, 2: 50})
    assert values(read.records) == numbered(0, 50)
    assert read.next_offsets == {0: 100, 2: 50}


def test_an_end_of_a_partition_that_is_not_read_is_refused(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(2)
    with reader(kafka, name, {0: 0}) as r, pytest.raises(ValueError, match=r"\[1\].*add them"):
        read_all(r, {0: 0, 1: 5})
