"""Unusual topics, brokers and producers: the effect on a drain and on the tables."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaUnreachableError
from social_assets.pipeline.stream_work import rebuild
from social_assets.pipeline.topics.topic_offsets import ALL_PARTITIONS, REASONS, starts
from tests.integration.kafka.conftest import Broker
from tests.integration.kafka.drain.drain_bed import (
    NOON,
    YESTERDAY,
    Bed,
    Counts,
    Stream,
    event,
    events,
    wait_until,
)
from tests.integration.kafka.kafka_producing import await_transactions

pytestmark = pytest.mark.kafka

DAY = timedelta(days=1)


@pytest.fixture
def admin(bed: Bed) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=bed.kafka.client_settings()["bootstrap.servers"])
    yield admin
    admin.close()


def make_again(stream: Stream, admin: KafkaAdminClient, partitions: int = 1) -> None:
    former = stream.kafka.topic_id(stream.topic)
    admin.delete_topics([stream.topic])
    while stream.kafka.topic_id(stream.topic) in (former, None):
        stream.kafka.create_topic(stream.topic, partitions)


def lag(stream: Stream) -> int:
    """The lag as the sensor sees it: offsets that the lake lacks, and unknown ranges."""
    offsets = stream.kafka.offsets(stream.topic)
    assert offsets is not None
    begin = starts(stream.stores.raw, offsets)
    return begin.lag(offsets) + len(begin.missing)


def test_a_topic_that_is_not_there_changes_nothing(bed: Bed) -> None:
    stream = Stream(bed.kafka, bed.stores("no_such_topic"))
    assert stream.drain() == set()
    assert stream.counts() == Counts(0, 0)


def test_what_retention_deleted_is_a_recorded_gap_and_all_else_is_taken(
    bed: Bed, admin: KafkaAdminClient
) -> None:
    stream = bed.stream(partitions=1)
    stream.send(events(range(100)))
    stream.drain()
    stream.send(events(range(100, 200)))
    admin.delete_records({TopicPartition(stream.topic, 0): 150})
    stream.drain()
    stream.drain()
    assert stream.counts() == Counts(150, 150)
    (gap,) = stream.stores.gaps.all()
    assert (gap.partition, gap.start, gap.end, gap.reason) == (0, 100, 150, REASONS["retention"])
    assert lag(stream) == 0


def test_a_topic_emptied_by_retention_is_a_gap_that_asks_for_no_drain_again(
    bed: Bed, admin: KafkaAdminClient
) -> None:
    stream = bed.stream(partitions=1)
    stream.send(events(range(10)))
    stream.drain()
    stream.send(events(range(10, 20)))
    admin.delete_records({TopicPartition(stream.topic, 0): 20})
    assert lag(stream) > 0
    stream.drain()
    assert lag(stream) == 0
    assert [(gap.start, gap.end) for gap in stream.stores.gaps.all()] == [(10, 20)]


def test_a_topic_made_again_is_a_recorded_gap_and_read_from_its_begin(
    bed: Bed, admin: KafkaAdminClient
) -> None:
    stream = bed.stream(partitions=1)
    stream.send(events(range(100)))
    stream.drain()
    make_again(stream, admin)
    assert lag(stream) > 0
    stream.drain()
    assert lag(stream) == 0, "an empty topic asks for a drain again and again"
    stream.send(events(range(80, 120)))
    stream.drain()
    assert stream.counts() == Counts(140, 120, duplicates=20)
    (gap,) = stream.stores.gaps.all()
    assert (gap.partition, gap.reason) == (ALL_PARTITIONS, REASONS["recreated"])


def test_a_topic_made_again_mid_run_ends_the_run_and_the_next_one_takes_all_of_it(
    bed: Bed, admin: KafkaAdminClient
) -> None:
    stream = bed.stream(partitions=1)
    stream.send(events(range(50)))
    with stream.draining(quiet_seconds=60):
        stream.wait_for(50)
        make_again(stream, admin)
        # More than the former topic had: its offsets are valid in the new one.
        stream.send(events(range(50, 170)))
    stream.drain()
    assert stream.counts() == Counts(170, 170)
    assert REASONS["recreated"] in {gap.reason for gap in stream.stores.gaps.all()}
    assert lag(stream) == 0


def test_a_partition_added_mid_run_is_read_by_that_run(bed: Bed, admin: KafkaAdminClient) -> None:
    stream = bed.stream(partitions=1)
    stream.send(events(range(50)))
    with stream.draining(quiet_seconds=15):
        stream.wait_for(50)
        admin.create_partitions({stream.topic: 3})
        offsets = stream.kafka.offsets(stream.topic)
        assert offsets is not None
        wait_until(lambda: len(stream.kafka.offsets(stream.topic).end) == 3)
        stream.send(events(range(50, 100)), partition=2)
        stream.wait_for(100)
    assert stream.counts() == Counts(100, 100)
    assert stream.stores.gaps.all() == []


@pytest.mark.parametrize("ending", ["killed", "stopped"])
def test_a_broker_away_for_a_while_delays_a_run_and_loses_nothing(
    bed: Bed, broker: Broker, ending: str
) -> None:
    stream = bed.stream()
    stream.send(events(range(100)))
    # A busy machine takes a minute to start a broker, and that broker to name a producer.
    with stream.draining(quiet_seconds=30, away_seconds=150, seconds=280):
        stream.wait_for(100)
        if ending == "killed":
            os.kill(broker.pid, signal.SIGKILL)
        else:
            broker.stop()
        wait_until(lambda: not kafka_broker.is_running(broker.home))
        broker.start()
        stream.send(events(range(100, 200)))
        stream.wait_for(200)
    assert stream.counts() == Counts(200, 200)
    assert stream.stores.gaps.all() == []


def test_a_broker_that_stays_away_fails_the_run_and_the_next_one_goes_on(
    bed: Bed, broker: Broker
) -> None:
    stream = bed.stream()
    stream.send(events(range(100)))
    with pytest.raises(KafkaUnreachableError, match="BOOTSTRAP_SERVERS"):  # noqa: SIM117
        with stream.draining(quiet_seconds=60, away_seconds=1):
            stream.wait_for(100)
            broker.stop()
    broker.start()
    stream.send(events(range(100, 150)))
    stream.drain()
    assert stream.counts() == Counts(150, 150)


def test_records_of_every_kind_are_landed_verbatim_and_accounted_for(bed: Bed) -> None:
    stream = bed.stream(partitions=1)
    megabyte = event(1, note="x" * 1_000_000)
    too_long = event(2, note="x" * (1 << 20))
    poison = [b"", b"\x00", b"\xff\xfe\x00", b"{", b"[]", b"null", b'"text"', b"{}", b"\x80" * 99]
    headers = [("trace", b"\x00\xff"), ("trace", b"again"), ("empty", b"")]
    values = [None, *poison, megabyte, too_long, event(3)]
    stream.send(values, headers=headers, message_max_bytes=2_000_000)
    stream.drain()
    assert stream.counts() == Counts(13, 2, rejected=11)
    raw = stream.stores.raw.read().sort_by("offset")
    assert raw["value"].to_pylist() == values
    kept = [("trace", b"\x00\xff"), ("trace#2", b"again"), ("empty", b"")]
    assert raw["headers"].to_pylist() == [kept] * len(values)
    assert stream.reasons()["record_too_long"] == 1
    once = stream.lake()
    rebuild(stream.stores, list(stream.stores.raw.rows_by_day()))
    assert stream.lake() == once


def test_all_compressions_come_through_the_whole_drain(bed: Bed) -> None:
    stream = bed.stream(partitions=3)
    codecs = ("none", "gzip", "lz4", "zstd", "snappy")
    for number, codec in enumerate(codecs):
        stream.send(events(range(number * 200, number * 200 + 200)), compression_type=codec)
    stream.drain()
    assert stream.counts() == Counts(1_000, 1_000)


def test_aborted_transactions_leave_no_record_and_no_lag(bed: Bed) -> None:
    from confluent_kafka import Producer

    stream = bed.stream(partitions=1)
    producer = Producer({**bed.kafka.client_settings(), "transactional.id": stream.topic})
    producer.init_transactions(30)
    for first, ending in ((0, "commit"), (50, "abort"), (100, "commit"), (150, "abort")):
        producer.begin_transaction()
        for value in events(range(first, first + 50)):
            producer.produce(stream.topic, value, partition=0)
        producer.flush(30)
        if ending == "commit":
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    await_transactions(bed.kafka, stream.topic)
    stream.drain()
    assert stream.counts() == Counts(100, 100)
    assert lag(stream) == 0
    producer.begin_transaction()
    producer.produce(stream.topic, event(7), partition=0)
    producer.abort_transaction(30)
    await_transactions(bed.kafka, stream.topic)
    assert stream.drain() == set()
    assert lag(stream) == 0
    assert stream.counts() == Counts(100, 100)


def test_late_and_future_records_stand_in_quarantine_with_topic_partition_and_offset(
    bed: Bed,
) -> None:
    stream = bed.stream(partitions=2)
    now = datetime.now(UTC)
    values = [
        event(1, now),
        event(2, now - 7 * DAY - timedelta(minutes=1)),
        event(3, now + timedelta(minutes=10)),
        event(4, now - 6 * DAY),
        event(5, datetime(9000, 1, 1, tzinfo=UTC)),
    ]
    stream.send(values, partition=1, at=[now] * len(values))
    stream.drain()
    found = bed_quarantine(stream)
    assert found == [
        (stream.topic, 1, 1, ["event_time_too_late"]),
        (stream.topic, 1, 2, ["event_time_in_the_future"]),
        (stream.topic, 1, 4, ["event_time_in_the_future"]),
    ]
    assert stream.counts() == Counts(5, 2, rejected=3)


def bed_quarantine(stream: Stream) -> list[tuple[object, ...]]:
    rows = stream.stores.quarantine.read().sort_by("offset")
    columns = ("origin", "partition", "offset", "reasons")
    return list(zip(*(rows[name].to_pylist() for name in columns), strict=True))


def test_a_record_time_that_cannot_be_meant_is_the_time_of_its_arrival(bed: Bed) -> None:
    """A stream without an event time uses the time of the record."""
    stream = bed.stream(
        "live_streaming",
        partitions=1,
        message_timestamp_after_max_ms=str(2**62),
        retention_ms="-1",
    )
    moments = [datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC), NOON]
    values = [
        json.dumps({"event_id": n, "user_id": 1, "event_type": "Sports"}).encode()
        for n in range(1, 4)
    ]
    began = datetime.now(UTC)
    stream.send(values, at=moments)
    stream.drain()
    assert stream.counts() == Counts(3, 3)
    first, second, third = stream.stores.cleaned.read().sort_by("offset")["event_time"].to_pylist()
    assert began <= first == second <= datetime.now(UTC)
    assert third == NOON


def test_a_backfill_that_waits_ends_the_drain_and_never_overlaps_it(bed: Bed) -> None:
    stream = bed.stream()
    stream.send(events(range(200)))
    stopped = threading.Event()

    def keep_sending() -> None:
        number = 200
        while not stopped.is_set():
            stream.send(events(range(number, number + 20)))
            number += 20

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        with stream.draining(seconds=120, quiet_seconds=60) as running:
            stream.wait_for(200)
            assert not running.done()
            started = time.monotonic()
            rebuild(stream.stores, [YESTERDAY])
            assert time.monotonic() - started < 30
            taken = len(stream.taken)
            running.result(timeout=10)
            assert len(stream.taken) == taken, "the drain went on beside the backfill"
    finally:
        stopped.set()
        sender.join()
    stream.counts()
    stream.drain()
    found = stream.counts()
    assert found.raw == found.cleaned > 200
    assert bed.ask("SELECT count() FROM star.fact_engagement") == [(found.cleaned,)]
