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


class WarehouseDownError(ConnectionError):
    """ClickHouse does not answer; the text says why."""


class WarehouseThreads:
    """ClickHouse, asked from threads. Opening it does no work; the first query connects."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="warehouse")
        self._idle: SimpleQueue[Client] = SimpleQueue()

    async def run(self, work: Callable[[Client], T], request_id: str) -> T:
        """The result of some work with a client. `request_id` is in the log of its queries.

        Raises WarehouseDownError, and what the work raises.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._work, work, request_id)

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
