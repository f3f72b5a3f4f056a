"""A captured table under test: its PostgreSQL, the worker, and the stream that is drained.

Belongs here: what tests do to them, kills included, and the comparison of source and `current`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.kafka_connect import worker
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.ingest.cdc.slot import SlotState
from social_assets.ingest.cdc.source_database import address_of, source_database
from social_assets.lake.lake import Lake
from social_assets.operate.capture import deploy_capture
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.topics.drain import drain
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.integration.kafka.drain.drain_bed import QUICK
from tests.postgres_server import PostgresServer

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class

CHECKOUT = Path(__file__).parents[4]
EXAMPLE = CHECKOUT / "examples" / "change_capture"
SLOT = "social_assets_orders"
CREATE = """
CREATE TABLE orders (
  id bigint, region text, customer_id text, status text NOT NULL DEFAULT 'open', amount numeric,
  placed_at timestamptz, is_gift boolean, tags text[] NOT NULL DEFAULT '{}', note text,
  PRIMARY KEY (id, region)
);
ALTER TABLE orders ALTER note SET STORAGE EXTERNAL;
ALTER TABLE orders REPLICA IDENTITY FULL;
"""
_COLUMNS = "region, customer_id, status, amount, placed_at, is_gift, tags, note"

Row = tuple[Any, ...]


def stores(home: Home) -> StreamStores:
    """The stores of the stream in a home."""
    lake = Lake(str(home.lake), home.path / "locks")
    engine = DuckDBEngine(home.path / "spill")
    return Stores(lake, engine, ClickHouseResource()).of(contract("orders"))


@dataclass
class CapturedTable:
    """`public.orders` of the example, captured and drained."""

    home: Home
    server: PostgresServer

    def deploy(self, *, snapshot: bool = False) -> None:
        deploy_capture(self.home, ["orders"], snapshot=snapshot, told=lambda _: None)

    def execute(self, statements: str) -> None:
        with connected(self.server.url) as connection, connection.cursor() as cursor:
            cursor.execute(statements)

    def slot(self) -> SlotState | None:
        with source_database(address_of(contract("orders"))) as database:
            return database.slot(SLOT)

    def drain(self) -> None:
        drain(stores(self.home), KafkaResource(), lambda _: None, QUICK)

    def catch_up(self, seconds: float = 90) -> None:
        """Drain until all changes until now are in the warehouse: a last one stands for them."""
        mark = f"mark {time.monotonic_ns()}"
        self.execute(
            f"INSERT INTO orders (id, region, note) VALUES (0, '', '{mark}') "
            "ON CONFLICT (id, region) DO UPDATE SET note = excluded.note"
        )
        deadline = time.monotonic() + seconds
        while mark not in {row[-1] for row in self.current("order_id = 0")}:
            assert time.monotonic() < deadline, f"the change has not arrived within {seconds} s"
            self.try_again()
            self.drain()

    def try_again(self) -> None:
        """Do what the sensor `failed_captures` does."""
        if worker.is_running(self.home):
            worker.client(self.home).restart_failed()

    def source(self) -> list[Row]:
        """The rows of the table; numbers as the stream has them."""
        with connected(self.server.url) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id, {_COLUMNS.replace('amount', 'amount::float8')} FROM orders "
                'ORDER BY id, region COLLATE "C"'
            )
            return [_comparable(row) for row in cursor.fetchall()]

    def current(self, condition: str = "true") -> list[Row]:
        """The rows of the view; none before the first load."""
        with ClickHouseResource().client() as client:
            if not client.command("EXISTS VIEW current.orders"):
                return []
            rows = client.query(
                f"SELECT order_id, {_COLUMNS} FROM current.orders WHERE {condition} "
                "ORDER BY order_id, region"
            ).result_rows
        return [_comparable(row) for row in rows]

    def kill_worker(self) -> None:
        pid = worker.process_id(self.home)
        assert pid is not None, "the worker does not run"
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not worker.is_running(self.home))

    @contextmanager
    def draining(self) -> Iterator[Drains]:
        """Drain in a process of its own during the block, started again whenever it ends."""
        drains = Drains()
        try:
            yield drains
        finally:
            drains.kill()


class Drains:
    """A process that drains the stream again and again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.ensure()

    def ensure(self) -> None:
        """Start one if none lives: it ends when Kafka or the warehouse is away for long."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.kafka.cdc.drain_again_and_again"],
                cwd=CHECKOUT,
                stderr=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection whose statements are transactions of their own."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for a condition; fails after the given time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def _comparable(row: Row) -> Row:
    """Times without their zone, which is UTC in both; lists as tuples."""
    return tuple(
        value.replace(tzinfo=None)
        if hasattr(value, "tzinfo")
        else tuple(value)
        if isinstance(value, list)
        else value
        for value in row
    )
