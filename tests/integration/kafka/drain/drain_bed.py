"""Streams under test: each has its own topic and lake, and all share the deployed warehouse.

Belongs here: the operations of the tests on streams, and the queries of their tables.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.warehouse.speed_checks import Comparison
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.topics.drain import Taken, drain
from social_assets.pipeline.topics.topic_source import Limits
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment, run_dbt
from social_assets.warehouse.dbt.tables import Warehouse
from tests.lake_of_tests import lake_in

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
NOON = datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, 12, tzinfo=UTC)

QUICK = Limits(seconds=60, quiet_seconds=0.2, pace_seconds=0.05, away_seconds=30)

Row = tuple[object, ...]


def event(number: int, at: datetime = NOON, **changed: object) -> bytes:
    record: dict[str, object] = {
        "event_id": f"e{number}",
        "event_time": at.isoformat(),
        "platform": "X",
        "account_id": 1 + number % 5,
        "post_id": f"p{number % 7}",
        "user_id": f"{1 + number % 23}",
        "metric_type": ("like", "share", "rating")[number % 3],
        "value": number % 7,
    }
    return json.dumps(record | changed).encode()


def events(numbers: Iterable[int], at: datetime = NOON) -> list[bytes]:
    return [event(number, at) for number in numbers]


@dataclass(frozen=True)
class Counts:
    """Rows by layer, for all days together."""

    raw: int
    cleaned: int
    duplicates: int = 0
    rejected: int = 0


@dataclass
class Stream:
    """One stream with its own topic."""

    kafka: KafkaResource
    stores: StreamStores
    taken: list[Taken] = field(default_factory=list)
    running: Future[set[date]] | None = None
    """The drain of `draining`."""

    @property
    def topic(self) -> str:
        return self.stores.contract.kafka_topic

    def send(
        self,
        values: Sequence[bytes | None],
        partition: int | None = None,
        *,
        at: Sequence[datetime] | None = None,
        headers: list[tuple[str, bytes]] | None = None,
        **settings: Any,
    ) -> None:
        """Append to the topic, in turn to its partitions or to the given one; `at` are the
        timestamps of the records.
        """
        from confluent_kafka import Producer

        dotted = {name.replace("_", "."): value for name, value in settings.items()}
        # Idempotent: what a busy broker takes at the second attempt would come out of order.
        ordered = {"linger.ms": 20, "enable.idempotence": True}
        producer = Producer({**self.kafka.client_settings(), **ordered, **dotted})
        offsets = self.kafka.offsets(self.topic)
        assert offsets is not None
        refused: list[str] = []

        def heed(error: Any, _: Any) -> None:
            if error is not None:
                refused.append(error.str())

        for number, value in enumerate(values):
            producer.produce(
                self.topic,
                value,
                partition=number % len(offsets.end) if partition is None else partition,
                timestamp=int(at[number].timestamp() * 1000) if at else 0,
                headers=list(headers) if headers else None,
                on_delivery=heed,
            )
            producer.poll(0)
        assert producer.flush(60) == 0, "the broker did not take them"
        assert not refused, refused[0]

    def drain(self, limits: Limits = QUICK, **changed: Any) -> set[date]:
        """Drain until the topic is quiet; returns the dates that changed."""
        before = len(self.taken)
        recovered = drain(
            self.stores, self.kafka, self.taken.append, dataclasses.replace(limits, **changed)
        )
        return recovered.union(*(taken.days for taken in self.taken[before:]))

    @contextmanager
    def draining(self, **changed: Any) -> Iterator[Future[set[date]]]:
        """Drain in a thread during the block; the drain must have succeeded at its end."""
        with ThreadPoolExecutor(max_workers=1) as thread:
            self.running = running = thread.submit(self.drain, **changed)
            try:
                yield running
                running.result(timeout=120)
            finally:
                self.running = None

    def wait_for(self, records: int) -> None:
        """Wait until drains have taken this number of records, including rejected ones.

        Fails at once if the drain of `draining` has ended with fewer, and raises its error.
        """

        def taken() -> bool:
            running = self.running if self.running and self.running.done() else None
            enough = self.records_taken() >= records
            if running and not enough:
                running.result()
                found = self.records_taken()
                raise AssertionError(f"the drain has ended with {found} of {records} records")
            return enough

        wait_until(taken)

    def records_taken(self) -> int:
        return sum(c.landed for taken in list(self.taken) for c in taken.days.values())

    def counts(self) -> Counts:
        """Rows by layer. Fails unless each day's records are accounted for and loaded."""
        raw, cleaned = self.stores.raw.rows_by_day(), self.stores.cleaned.rows_by_day()
        quarantine = self.stores.quarantine
        duplicates = quarantine.rows_by_day(verdict="duplicate")
        rejected = quarantine.rows_by_day(verdict="rejected")
        for day, rows in raw.items():
            accounted = sum(layer.get(day, 0) for layer in (cleaned, duplicates, rejected))
            assert accounted == rows, f"{day}: {rows} raw, {accounted} accounted for"
        assert {day: n for day, n in cleaned.items() if n} == self.stores.loader.rows_by_day()
        return Counts(*(sum(d.values()) for d in (raw, cleaned, duplicates, rejected)))

    def reasons(self) -> Counter[str]:
        """The number of records in quarantine for each reason."""
        rows = self.stores.quarantine.read()
        return Counter(rows["reasons"].combine_chunks().flatten().to_pylist())

    def lake(self) -> dict[str, list[Row]]:
        """All rows of the lake in order, without arrival time and batch."""
        tables = {
            "raw": self.stores.raw,
            "cleaned": self.stores.cleaned,
            "quarantine": self.stores.quarantine,
        }
        return {name: _rows(table.read()) for name, table in tables.items()}


@dataclass(frozen=True)
class Bed:
    """Creates streams on one warehouse."""

    home: Home
    kafka: KafkaResource
    folder: Path

    def stream(self, name: str = "engagement_events", partitions: int = 2, **config: str) -> Stream:
        """A stream with an empty topic and an empty lake."""
        topic = f"{name}_{uuid4().hex[:8]}"
        dotted = {k.replace("_", "."): v for k, v in config.items()}
        self.kafka.create_topic(topic, partitions, dotted)
        return Stream(self.kafka, self.stores(topic, name))

    def again(self, stream: Stream) -> Stream:
        """The same topic with another lake."""
        stores = self.stores(stream.topic, stream.stores.contract.name, "another")
        return Stream(self.kafka, stores)

    def elsewhere(self, stream: Stream) -> Stream:
        """The same topic and lake on another machine, which does not share the locks."""
        stores, here = stream.stores.stores, stream.stores.stores.lake
        there = Lake(here.root, self.folder / "locks_elsewhere")
        moved = dataclasses.replace(stores, lake=there)
        return Stream(self.kafka, moved.of(stream.stores.contract))

    def stores(
        self, topic: str, name: str = "engagement_events", lake: str = "one"
    ) -> StreamStores:
        """The stores of a stream with this topic."""
        folder = self.folder / topic / lake
        stores = Stores(
            lake_in(folder),
            DuckDBEngine(folder / "spill"),
            ClickHouseResource(),
        )
        return stores.of(dataclasses.replace(contract(name), topic=topic))

    def ask(self, query: str) -> list[Row]:
        with ClickHouseResource().client() as client:
            return [tuple(row) for row in client.query(query).result_rows]

    def warehouse(self) -> dict[str, list[Row]]:
        """Every fact, dimension and rollup with merged rows, in order."""
        project = Warehouse.of(self.home)
        tables = [*project.tables("star"), *project.tables("rollups")]
        with ClickHouseResource().client() as client:
            return {
                table.name: [
                    tuple(map(_without_last_digits, row))
                    for row in client.query(
                        f"{Comparison(table, ()).merged(table.qualified_name, None)} ORDER BY ALL"
                    ).result_rows
                ]
                for table in tables
            }

    def rebuild(self, first: date, last: date) -> None:
        """Rebuild facts, dimensions and rollups of these days with dbt, like the assets."""
        project = Warehouse.of(self.home)
        models = [
            name
            for layer in ("star", "rollups")
            for name in project.models(set(project.upstream(layer)))
        ]
        arguments = dbt_arguments("run", models, days=Days(first, last))
        environment = dbt_environment(ClickHouseResource().endpoint(), "test", 4)
        run_dbt(project.dbt, arguments, environment, self.home.logs)

    def empty(self) -> None:
        """Delete all rows of the warehouse."""
        with ClickHouseResource().client() as client:
            tables = client.query(
                "SELECT concat(database, '.', name) FROM system.tables\n"
                "WHERE database IN ('cleaned', 'star', 'rollups') AND engine LIKE '%MergeTree'\n"
                "  AND name != 'deployments' AND total_rows > 0"
            ).result_rows
            for (table,) in tables:
                client.command(f"TRUNCATE TABLE {table} SYNC")


def wait_until(condition: Callable[[], bool], seconds: float = 180.0) -> None:
    """Wait for a condition; fails after the given time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def _rows(table: pa.Table) -> list[Row]:
    names = sorted(set(table.column_names) - {"ingested_at", "batch_id"})
    return sorted(tuple(map(str, row.values())) for row in table.select(names).to_pylist())


def _without_last_digits(value: object) -> object:
    """Rounded values: the last digits of a Float64 sum depend on the order."""
    return round(value, 6) if isinstance(value, float) else value
