"""Queries of the serving room: a bounded number at once, each with a client of its own.

Belongs here: clients, threads, limits of a query, and the errors of a warehouse that is away. What
is asked belongs to who asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from resources.clickhouse.resource import ClickHouseResource, ClickHouseUnreachableError, connect
from resources.embedded_clickhouse.lifecycle import EmbeddedServerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

T = TypeVar("T")

_log = logging.getLogger(__name__)

LIMITS = {
    "max_execution_time": 30,
    "max_result_rows": 1_000_000,
    # A key's accounts and a filter's values stand in the query.
    "max_query_size": 4 * 2**20,
}

WAIT_SECONDS = 5.0
"""How long a question waits for its turn; then the last good answer is given, or 503."""
MOST_WAITING = 2_000


class WarehouseDownError(ConnectionError):
    """ClickHouse does not answer; the text says why."""


class WarehouseBusyError(RuntimeError):
    """The questions before this one take too long; it has not been asked."""


class WarehouseThreads:
    """ClickHouse, asked from threads. Opening it does no work; the first query connects.

    Work waits for its turn in the order in which it comes, `wait_seconds` at most.
    """

    def __init__(
        self, threads: int, wait_seconds: float = WAIT_SECONDS, most_waiting: int = MOST_WAITING
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="warehouse")
        self._turns = asyncio.Semaphore(threads)
        self._wait_seconds = wait_seconds
        self._most_waiting = most_waiting
        self._waiting = 0
        self._idle: SimpleQueue[Client] = SimpleQueue()

    async def run(self, work: Callable[[Client], T], request_id: str) -> T:
        """The result of some work with a client. `request_id` is in the log of its queries.

        Raises WarehouseBusyError, WarehouseDownError, and what the work raises.
        """
        loop = asyncio.get_running_loop()
        await self._await_turn()
        # The thread gives the turn back: work goes on after its caller is gone.
        done = loop.run_in_executor(self._threads, self._work, work, request_id)
        done.add_done_callback(lambda _: self._turns.release())
        return await asyncio.shield(done)

    async def _await_turn(self) -> None:
        if self._waiting >= self._most_waiting:
            raise WarehouseBusyError(f"{self._waiting:,} pieces of work wait for ClickHouse")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise WarehouseBusyError(
                f"no turn to ask ClickHouse within {self._wait_seconds:g} seconds"
            ) from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End all queries that wait, and close the clients."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        while (client := self._taken()) is not None:
            client.close()

    def _work(self, work: Callable[[Client], T], request_id: str) -> T:
        from clickhouse_connect.driver.exceptions import OperationalError

        client = self._taken() or _connected()
        try:
            client.set_client_setting("log_comment", f"api:{request_id}")
            result = work(client)
        except OperationalError as error:
            client.close()
            raise WarehouseDownError(str(error)) from error
        except BaseException:
            # A query of it may still run.
            client.close()
            raise
        self._idle.put(client)
        return result

    def _taken(self) -> Client | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None


def _connected() -> Client:
    try:
        # Looked up each time: an embedded server that was ended is started again.
        return connect(ClickHouseResource().endpoint(), "api", **LIMITS)
    except (ClickHouseUnreachableError, EmbeddedServerError) as error:
        raise WarehouseDownError(str(error)) from error
