"""A drain takes every record of a topic once, in any order, with the result of a backfill."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from social_assets.demo.samples import SampleFile, generate
from social_assets.demo.samples.sample_set import STREAMS as SAMPLE_STREAMS
from social_assets.ingest.files.open_file import read_records
from social_assets.lake.delta import AppliedElsewhereError
from social_assets.pipeline.stream_work import ingest_files, land_files, rebuild
from social_assets.pipeline.topics import landed_keys_by_day as landed
from social_assets.pipeline.topics.drain import drain
from tests.integration.kafka.drain.crash_points import CrashError, crash_after
from tests.integration.kafka.drain.drain_bed import (
    NOON,
    QUICK,
    YESTERDAY,
    Bed,
    Counts,
    Stream,
    event,
    events,
)

pytestmark = pytest.mark.kafka

SEED = 11
DAY = timedelta(days=1)


def test_a_drain_takes_everything_once_and_again_changes_nothing(bed: Bed) -> None:
    stream = bed.stream()
    stream.send(events(range(1_000)))
    assert stream.drain() == {YESTERDAY}
    assert stream.counts() == Counts(1_000, 1_000)
    assert bed.ask("SELECT count(), sum(value) FROM star.fact_engagement") == [
        (1_000, sum(n % 7 for n in range(1_000)))
    ]
    once, warehouse = stream.lake(), bed.warehouse()
    assert stream.drain() == set()
    assert (stream.lake(), bed.warehouse()) == (once, warehouse)


def test_two_machines_that_drain_one_topic_into_one_lake_take_each_record_once(bed: Bed) -> None:
    """They share no lock. A commit that does not continue at the end of raw is refused."""
    here = bed.stream()
    there = bed.elsewhere(here)
    here.send(events(range(2_000)))
    for first in range(2_000, 6_000, 1_000):
        with ThreadPoolExecutor() as machines:
            running = [
                machines.submit(each.drain, max_records=100, quiet_seconds=1.0)
                for each in (here, there)
            ]
            here.send(events(range(first, first + 1_000)))
        for each in running:
            try:
                each.result()
            except AppliedElsewhereError as error:
                assert "goes on from what is there" in str(error)
    here.drain()
    assert here.counts() == Counts(6_000, 6_000)


def test_a_drain_that_another_machine_overtakes_before_it_reads_is_refused(bed: Bed) -> None:
    here = bed.stream()
    there = bed.elsewhere(here)
    here.send(events(range(100)))

    class Overtaken:
        """The broker; another machine drains after the first offsets to read are known."""

        def client_settings(self) -> Mapping[str, str]:
            there.drain()
            return here.kafka.client_settings()

        def __getattr__(self, name: str) -> Any:
            return getattr(here.kafka, name)

    with pytest.raises(AppliedElsewhereError, match="goes on from what is there"):
        drain(here.stores, Overtaken(), here.taken.append, QUICK)
    assert here.counts() == Counts(100, 100)


def test_a_key_is_taken_once_a_date_whatever_micro_batch_and_partition_it_comes_in(
    bed: Bed,
) -> None:
    stream = bed.stream(partitions=3)
    stream.send(events([*range(300), *range(300)]))
    stream.send(events(range(300), NOON - DAY))
    stream.send([event(n, NOON - 2 * DAY) for n in range(0, 300, 3)])
    stream.drain(max_records=70)
    stream.send(events(range(150, 450)))
    stream.drain(max_records=70)
    assert stream.counts() == Counts(1_300, 850, duplicates=450)


def test_keys_stay_known_where_next_to_none_are_held(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates are evicted and read again while their keys are not yet in cleaned."""
    monkeypatch.setattr(landed, "HELD_KEYS", 10)
    stream = bed.stream(partitions=1)
    dates = [NOON - n * DAY for n in range(4)]
    for _ in range(3):
        stream.send([event(n, at) for n in range(50) for at in dates])
    stream.drain(max_records=40)
    assert len(stream.taken) == 15
    assert stream.counts() == Counts(600, 200, duplicates=400)


OF_COLLECTED = {"account_days", "post_counter_increments", "post_counters_daily"}
"""Tables of streams that no topic has; `test_warehouse_speed_and_batch` compares their days."""


def test_a_day_streamed_equals_the_same_day_rebuilt_in_every_table(
    bed: Bed, tmp_path: Path
) -> None:
    """Dirty samples of all streams: late, out of order, and repeated in other micro-batches."""
    samples = generate(tmp_path / "samples", events=2_500, days=4, end=YESTERDAY)
    streams = [stream_of_samples(bed, each.name, samples) for each in SAMPLE_STREAMS]
    days = sorted({day for stream in streams for day in stream.stores.raw.rows_by_day()})
    assert sum(stream.counts().rejected for stream in streams) > 10
    lakes, warehouse = [stream.lake() for stream in streams], bed.warehouse()
    without_rows = {table for table, rows in warehouse.items() if not rows}
    assert without_rows == OF_COLLECTED, "a table without rows compares nothing"
    for stream in streams:
        found = stream.counts()
        assert min(found.cleaned, found.duplicates) > 0, stream.topic
        rebuild(stream.stores, sorted(stream.stores.raw.rows_by_day()))
    bed.rebuild(days[0], days[-1])
    assert [stream.lake() for stream in streams] == lakes
    rebuilt = bed.warehouse()
    for table, rows in warehouse.items():
        assert rebuilt[table] == rows, table


def stream_of_samples(bed: Bed, name: str, samples: list[SampleFile]) -> Stream:
    """The JSON records of the samples, shuffled, some sent twice, drained in small parts.

    A record without a time of its own is dated by Kafka, so a record sent again has the moment of
    the first: on another date it is no duplicate, whatever the hour at which the test runs.
    """
    stream = bed.stream(name, partitions=3)
    shuffle = random.Random(SEED)  # noqa: S311 - an order, no secret
    values: list[bytes] = []
    with stream.stores.engine.session() as session:
        for file in samples:
            if file.stream == name:
                for block in read_records(stream.stores.contract, file.path, session.json_records):
                    json_records = block.filter(pc.is_null(block.column("csv_header")))
                    values += json_records.column("value").to_pylist()
    now = datetime.now(UTC)
    moment = {value: now - shuffle.random() * 3 * DAY for value in values}
    values += shuffle.sample(values, len(values) // 10)
    shuffle.shuffle(values)
    moments = [moment[value] for value in values]
    half = len(values) // 2
    for part in (slice(0, half), slice(half, None)):
        stream.send(values[part], at=moments[part])
        stream.drain(max_records=200)
    return stream


def test_files_and_stream_share_one_order_of_landing(bed: Bed, tmp_path: Path) -> None:
    stream = bed.stream()

    def file(name: str, numbers: range, value: int) -> Path:
        path = tmp_path / name
        path.write_bytes(b"\n".join(event(n, value=value) for n in numbers))
        return path

    stream.send(events(range(100)))
    stream.drain()
    ingest_files(stream.stores, [file("later.ndjson", range(50, 150), 7)])
    stream.send([event(n, value=8) for n in range(100, 200)])
    stream.drain()
    # Landed before its load was killed: the first landed record is still accepted.
    land_files(stream.stores, [file("killed.ndjson", range(200, 250), 9)])
    stream.send([event(n, value=10) for n in range(200, 300)])
    assert stream.drain() == {YESTERDAY}

    assert stream.counts() == Counts(450, 300, duplicates=150)
    values = bed.ask("SELECT value, count() FROM star.fact_engagement WHERE value > 6 GROUP BY 1")
    assert sorted(values) == [(7.0, 50), (8.0, 50), (9.0, 50), (10.0, 50)]
    once = stream.lake()
    rebuild(stream.stores, [YESTERDAY])
    assert stream.lake() == once


def test_a_drain_that_crashes_at_every_boundary_gives_the_tables_of_one_that_does_not(
    bed: Bed,
) -> None:
    stream = bed.stream(partitions=1)
    numbers = random.Random(SEED)  # noqa: S311 - a choice, no secret
    crashes = 0
    for call in itertools.count(1):
        records = [
            event(numbers.randrange(60 * (crashes + 1)), NOON - (n % 2) * DAY, value=crashes)
            for n in range(60)
        ]
        stream.send([*records, b"no record", event(1, value=-1)])
        try:
            with crash_after(call):
                stream.drain(max_records=31)
            break
        except CrashError:
            crashes += 1
    # Three commits and an insert of each of two micro-batches, and three records at the end.
    assert crashes >= 11
    found = stream.counts()
    crashed, warehouse = stream.lake(), bed.warehouse()

    bed.empty()
    undisturbed = bed.again(stream)
    undisturbed.drain(max_records=31)
    assert undisturbed.counts() == found
    assert undisturbed.lake() == crashed
    assert bed.warehouse() == warehouse
