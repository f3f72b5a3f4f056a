"""After a random workload with every process killed, `current` equals the source row for row."""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from resources.embedded_clickhouse.files import ServerFiles
from resources.kafka import broker
from social_assets.operate.capture import start_worker
from tests.integration.kafka.cdc.captured_table import CapturedTable, Drains, connected, wait_until
from tests.integration.kafka.conftest import JARS

LOG = logging.getLogger(__name__)
OPERATIONS = int(os.environ.get("CDC_OPERATIONS", "20000"))
"""100,000 take longer than CI has: `CDC_OPERATIONS=100000` names them."""

KEYS = 4000
LARGEST_TRANSACTION = 200
LONG = 3000
"""Letters of a note that PostgreSQL stores beside the row."""

pytestmark = [pytest.mark.kafka, pytest.mark.endurance, pytest.mark.timeout(1800)]


class Workload:
    """Random transactions on the table, the same for the same seed as long as nothing is killed."""

    def __init__(self, table: CapturedTable, seed: int) -> None:
        self._table = table
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self.operations = 0

    def run(self, until: int) -> None:
        """Work until this number of operations was sent; a transaction of a dead server is gone."""
        import psycopg2

        while self.operations < until:
            try:
                with connected(self._table.server.url) as connection:
                    while self.operations < until:
                        with connection.cursor() as cursor:
                            cursor.execute(self._transaction())
            except psycopg2.OperationalError:
                # Killed, and not back yet: what this test is about.
                time.sleep(0.05)

    def _transaction(self) -> str:
        size = self._random.randint(1, LARGEST_TRANSACTION)
        self.operations += size
        end = "ROLLBACK" if self._random.random() < 0.05 else "COMMIT"
        return ";".join(["BEGIN", *(self._operation() for _ in range(size)), end])

    def _operation(self) -> str:
        draw = self._random
        where = f"WHERE id = {draw.randint(1, KEYS)} AND region = '{draw.choice(('eu', 'us'))}'"
        kind = draw.random()
        if kind < 0.4:
            return (
                f"INSERT INTO orders VALUES ({draw.randint(1, KEYS)}, "
                f"'{draw.choice(('eu', 'us'))}', {self._text(8)}, 'Open', {self._amount()}, "
                f"'2026-01-01Z'::timestamptz + {draw.randint(0, 10**9)} * interval '1 us', "
                f"{draw.choice(('true', 'false', 'NULL'))}, ARRAY['a', {self._text(3)}], "
                f"{self._note()}) ON CONFLICT (id, region) DO UPDATE SET amount = excluded.amount"
            )
        if kind < 0.65:
            return f"UPDATE orders SET status = 'Paid', amount = {self._amount()} {where}"
        if kind < 0.75:
            return f"UPDATE orders SET note = {self._note()} {where}"
        if kind < 0.8:
            new = KEYS + self.operations
            return f"UPDATE orders SET id = {new} {where} AND NOT EXISTS ({self._taken(new)})"
        if kind < 0.9999:
            return f"DELETE FROM orders {where}"
        return "TRUNCATE orders"

    def _taken(self, new: int) -> str:
        return f"SELECT FROM orders WHERE id = {new}"

    def _amount(self) -> str:
        return self._random.choice(("NULL", f"{self._random.randint(0, 10**7)} / 100.0"))

    def _text(self, length: int) -> str:
        return "'" + "".join(self._random.choices("ab c", k=length)) + "'"

    def _note(self) -> str:
        if self._random.random() < 0.05:
            return f"repeat({self._text(6)}, {LONG // 6})"
        return self._random.choice(("NULL", "''", self._text(5)))


def test_current_equals_the_source_after_a_random_workload_with_kills(
    orders: CapturedTable,
) -> None:
    workload = Workload(orders, seed=15)
    workload.run(OPERATIONS // 10)
    orders.deploy()
    with orders.draining() as drains:
        faults = _faults(orders, drains)
        begin = time.monotonic()
        for number, fault in enumerate(faults, 1):
            fault()
            drains.ensure()
            workload.run(OPERATIONS * (1 + 9 * number // len(faults)) // 10)
        LOG.info("%d operations after %.0f s", workload.operations, time.monotonic() - begin)
    orders.catch_up(seconds=600)
    LOG.info("all of them in current after %.0f s", time.monotonic() - begin)
    assert workload.operations >= OPERATIONS
    source = orders.source()
    assert len(source) > 100
    assert orders.current() == source


def _faults(orders: CapturedTable, drains: Drains) -> list[Callable[[], None]]:
    """Each kills a process under load, and starts it again."""

    def kill_database() -> None:
        orders.server.stop()
        orders.server.start()

    def kill_worker() -> None:
        orders.kill_worker()
        start_worker(orders.home)

    def kill_broker() -> None:
        pid = broker.process_id(orders.home)
        assert pid is not None, "the broker does not run"
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not broker.is_running(orders.home))
        broker.start(orders.home, JARS)

    def kill_warehouse() -> None:
        lock = ServerFiles(orders.home).server_lock
        if lock.exists() and lock.read_text().strip():
            # Killed before, it may not be back yet.
            with suppress(ProcessLookupError):
                os.kill(int(lock.read_text()), signal.SIGKILL)

    kills = [kill_database, drains.kill, kill_worker, kill_broker, kill_warehouse]
    return [*kills, *reversed(kills)]
