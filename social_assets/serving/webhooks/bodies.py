"""Reads the bodies of requests: not larger, not slower and not more at a time than allowed.

Belongs here: the three limits. Nothing of a body is known to be from a platform before it is read.
"""

from __future__ import annotations

import asyncio

from resources.web.asgi import Receive
from social_assets.ingest.webhooks.webhook import Headers


class BodyRefusedError(ValueError):
    """A body is not read; `status` is the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class SenderGoneError(ConnectionError):
    """The sender has closed the connection before the end of the body."""


class BodyLimits:
    """The limits, and how much is held at this moment. Used in one event loop."""

    def __init__(self, most_bytes: int, seconds: float, most_held: int) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._most_held = most_held
        self._reading: dict[asyncio.Task[object], float] = {}
        self._too_slow: set[asyncio.Task[object]] = set()
        self.held = 0

    async def read(self, headers: Headers, receive: Receive) -> bytes:
        """The whole body. Raises BodyRefusedError, SenderGoneError.

        The caller must call `release` with its size when the body is not needed any more, and must
        keep `end_slow` running.
        """
        self._check_declared(headers)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._reading[task] = asyncio.get_running_loop().time()
        parts: list[bytes] = []
        size, has_more = 0, True
        try:
            while has_more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise SenderGoneError("the sender has closed the connection")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                self.held += len(parts[-1])
                self._check(size)
                has_more = message.get("more_body", False)
        except asyncio.CancelledError:
            self.release(size)
            if task not in self._too_slow:
                raise
            task.uncancel()
            raise BodyRefusedError(
                408, f"the body did not arrive in {self._seconds:g} seconds"
            ) from None
        except (BodyRefusedError, SenderGoneError):
            self.release(size)
            raise
        finally:
            del self._reading[task]
            self._too_slow.discard(task)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self, size: int) -> None:
        """Count a body as not held any more."""
        self.held -= size

    async def end_slow(self) -> None:
        """Refuse the bodies that take too long, again and again.

        A timer for each request would take a seventh of the time of the whole request.
        """
        while True:
            await asyncio.sleep(self._seconds / 10)
            latest = asyncio.get_running_loop().time() - self._seconds
            slow = [task for task, since in self._reading.items() if since < latest]
            for task in slow:
                self._too_slow.add(task)
                task.cancel()

    def _check_declared(self, headers: Headers) -> None:
        for name, value in headers:
            if name == b"content-length" and value.isdigit():
                self._check(int(value))

    def _check(self, size: int) -> None:
        if size > self._most_bytes:
            raise BodyRefusedError(413, f"the body has more than {self._most_bytes} bytes")
        if self.held > self._most_held:
            raise BodyRefusedError(503, "too many deliveries at a time; send it again later")
