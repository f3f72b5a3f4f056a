"""ClickHouse's HTTP interface as a Starlette application: the routes, and the steps of a request.

The steps: check the request, receive its body, wait for a free slot, start the query in a worker
thread. `response` sends the result. The event loop only transfers bytes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AsyncExitStack, contextmanager
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.files import INSTANCE_HEADER
from resources.embedded_clickhouse.http.access import Access
from resources.embedded_clickhouse.http.body import Body
from resources.embedded_clickhouse.http.multipart import read_form
from resources.embedded_clickhouse.http.play_page import PLAY_HEADERS, PLAY_PAGE
from resources.embedded_clickhouse.http.request import QueryRequest, query_id
from resources.embedded_clickhouse.http.response import ResultResponse
from resources.embedded_clickhouse.options import MAX_QUERIES
from resources.embedded_clickhouse.query.execution import Execution

T = TypeVar("T")

_log = logging.getLogger(__name__)
_SLOT_WAIT_SECONDS = 60
_CLIENT_CLOSED_REQUEST = 499


class Traffic:
    """Counts open requests, and the time since the last one ended."""

    def __init__(self) -> None:
        self._open = 0
        self._last_end = time.monotonic()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as open while the block runs."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._last_end = time.monotonic()

    @property
    def open_requests(self) -> int:
        """The number of open requests."""
        return self._open

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last request ended; 0 while one is open."""
        return 0.0 if self._open else time.monotonic() - self._last_end


class HttpInterface:
    """The routes, and the state that all requests share."""

    def __init__(
        self,
        execution: Execution,
        access: Access,
        threads: Executor,
        max_queries: int,
        instance: str,
    ) -> None:
        self.traffic = Traffic()
        self._execution = execution
        self._access = access
        self._threads = threads
        self._max_queries = max_queries
        self._slots = asyncio.Semaphore(max_queries)
        self._instance = instance

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", self._root, methods=["GET", "POST"]),
                Route("/play", self._play, methods=["GET"]),
                Route("/ping", self._ping, methods=["GET"]),
                Route("/replicas_status", self._ping, methods=["GET"]),
            ]
        )

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _ping(self, request: Request) -> Response:
        try:
            self._access.check_sender(request)
        except ClickHouseError as error:
            return self._refusal(error, request)
        with self.traffic.request():
            return PlainTextResponse("Ok.\n", headers={INSTANCE_HEADER: self._instance})

    async def _play(self, request: Request) -> Response:
        try:
            self._access.check_sender(request)
        except ClickHouseError as error:
            return self._refusal(error, request)
        return HTMLResponse(PLAY_PAGE, headers=PLAY_HEADERS)

    async def _root(self, request: Request) -> Response:
        if request.method != "POST" and "query" not in request.query_params:
            return await self._ping(request)
        try:
            return await self._query(request)
        except ClickHouseError as error:
            return self._refusal(error, request)
        except ClientDisconnect:
            _log.info("a client went away while sending its body; nothing of it was run")
            return Response(status_code=_CLIENT_CLOSED_REQUEST)

    async def _query(self, request: Request) -> Response:
        self._access.check_sender(request)
        self._access.check_credentials(request)
        asked = QueryRequest.of(request)
        async with AsyncExitStack() as held:
            held.enter_context(self.traffic.request())
            body = Body(
                asked.content_encoding,
                self._execution.room,
                self.traffic.open_requests,
                in_blocks=asked.decompress,
            )
            held.callback(body.close)
            await body.receive(request.stream())
            asked = await self._with_form(asked, body)
            await self._take_slot()
            held.callback(self._slots.release)
            result = await self.in_thread(lambda: self._execution.run(asked, body))
            if not result.is_whole:
                held.push_async_callback(self.in_thread, result.close)
            return ResultResponse(
                asked, result, self._execution.engine, self.in_thread, held.pop_all()
            )

    async def _with_form(self, asked: QueryRequest, body: Body) -> QueryRequest:
        """The request with the fields of its form, if its body is a form."""
        boundary = asked.boundary
        if boundary is None:
            return asked
        return asked.with_form(
            await self.in_thread(lambda: read_form(body.rest(), boundary, asked.declared_tables))
        )

    async def _take_slot(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            await asyncio.wait_for(self._slots.acquire(), _SLOT_WAIT_SECONDS)
        except TimeoutError:
            raise ClickHouseError(
                202,
                "TOO_MANY_SIMULTANEOUS_QUERIES",
                f"Too many simultaneous queries: {self._max_queries} have been running for "
                f"{_SLOT_WAIT_SECONDS} s; try later, or raise {MAX_QUERIES}",
            ) from None

    def _refusal(self, error: ClickHouseError, request: Request) -> Response:
        engine = self._execution.engine
        return PlainTextResponse(
            error.describe(engine.version),
            status_code=error.http_status,
            headers={
                "X-ClickHouse-Query-Id": query_id(request),
                "X-ClickHouse-Timezone": engine.timezone,
                "X-ClickHouse-Exception-Code": str(error.code),
            },
        )
