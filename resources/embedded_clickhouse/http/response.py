"""Sends the answer to a query while the query runs: headers, parts, and a late error.

After the first byte, an error cannot change the status. So, as ClickHouse does since 25.11, the
server writes the error into the body, under a tag that the headers name, and breaks the connection.
A client cannot mistake such a result for a complete one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import string
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.http.encoding import Encoder, encoder_for
from resources.embedded_clickhouse.http.request import QueryRequest
from resources.embedded_clickhouse.query.engine import Outcome
from resources.embedded_clickhouse.query.execution import Result

T = TypeVar("T")

_log = logging.getLogger(__name__)
_TAG_LENGTH = 16
_CONTENT_TYPES = {
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "arrow": "application/octet-stream",
    "arrowstream": "application/octet-stream",
    "native": "application/octet-stream",
    "parquet": "application/octet-stream",
    "rowbinary": "application/octet-stream",
}


class InThread(Protocol):
    """Runs blocking work in a worker thread."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """The result of the work."""


class About(Protocol):
    """The properties of the server that a response names."""

    version: str
    timezone: str


class ResultResponse(Response):
    """Sends a result, and then releases everything that the query held."""

    def __init__(
        self,
        asked: QueryRequest,
        result: Result,
        server: About,
        in_thread: InThread,
        held: AsyncExitStack,
    ) -> None:
        super().__init__()
        self._asked = asked
        self._result = result
        self._server = server
        self._in_thread = in_thread
        self._held = held
        self._encoder = encoder_of(asked)
        self._tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_TAG_LENGTH))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send all of it; the parameters are ASGI's."""
        async with self._held:
            if self._result.is_whole:
                await self._send_whole(send)
                return
            gone = asyncio.create_task(_until_disconnect(receive))
            try:
                await self._send(send, gone)
            finally:
                gone.cancel()

    async def _send_whole(self, send: Send) -> None:
        """Send the answer to an insert or a command, whose length is known; mostly empty."""
        body = self._result.first_part
        if body:
            body = await self._in_thread(lambda: self._encoded(body) + self._encoder.finish())
        else:
            body = self._encoder.finish()
        await self._held.aclose()
        await send(self._head({"Content-Length": str(len(body))}))
        await send(_body(body, more=False))

    async def _send(self, send: Send, gone: asyncio.Task[None]) -> None:
        await send(self._head({}))
        try:
            part = await self._in_thread(lambda: self._encoded(self._result.first_part))
            while part and not gone.done():
                await send(_body(part))
                part = await self._in_thread(lambda: self._encoded(self._result.next_part()))
        except ClickHouseError as error:
            await self._held.aclose()
            await send(_body(self._encoder.encode(self._tagged(error)) + self._encoder.finish()))
            _log.warning("query %s failed on the way: %s", self._asked.query_id, error)
            # uvicorn breaks the connection, because the body does not end.
            return
        # Release before the end is sent: a client may use the session again as soon as it has it.
        await self._held.aclose()
        await send(_body(self._encoder.finish(), more=False))

    def _encoded(self, part: bytes) -> bytes:
        """Encode a part; the result is empty only for the empty part, which marks the end."""
        return self._encoder.encode(part) if part else b""

    def _head(self, more: Mapping[str, str]) -> Message:
        result, name = self._result, (self._result.format or "").lower()
        headers = {
            "Content-Type": _CONTENT_TYPES.get(name, "text/plain; charset=UTF-8"),
            "X-ClickHouse-Server-Display-Name": "embedded",
            "X-ClickHouse-Query-Id": self._asked.query_id,
            "X-ClickHouse-Timezone": self._server.timezone,
            "X-ClickHouse-Summary": _summary(result.outcome),
            "X-ClickHouse-Exception-Tag": self._tag,
            **more,
        }
        if result.format:
            headers["X-ClickHouse-Format"] = result.format
        if self._encoder.name:
            headers["Content-Encoding"] = self._encoder.name
        return {
            "type": "http.response.start",
            "status": 200,
            "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()],
        }

    def _tagged(self, error: ClickHouseError) -> bytes:
        text = error.describe(self._server.version).encode()
        tag = self._tag.encode()
        return b"\r\n".join(
            (b"", b"__exception__", tag, text + b"%d %s" % (len(text), tag), b"__exception__", b"")
        )


def encoder_of(asked: QueryRequest) -> Encoder:
    """The encoding of an answer: blocks if the request asks for them, inside of HTTP's encoding."""
    encoder = encoder_for(asked.accept_encoding)
    if not asked.compress:
        return encoder
    # Here, since most requests have no use for it.
    from resources.embedded_clickhouse.http.blocks import BlockEncoder

    return BlockEncoder(asked.settings.get("network_compression_method", "LZ4"), encoder)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(part: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": more}


def _summary(outcome: Outcome) -> str:
    numbers = {
        "read_rows": outcome.read_rows,
        "read_bytes": outcome.read_bytes,
        "written_rows": outcome.written_rows,
        "written_bytes": outcome.written_bytes,
        "total_rows_to_read": outcome.read_rows,
        "result_rows": outcome.written_rows,
        "result_bytes": outcome.written_bytes,
        "elapsed_ns": outcome.elapsed_ns,
    }
    return json.dumps({name: str(number) for name, number in numbers.items()})
