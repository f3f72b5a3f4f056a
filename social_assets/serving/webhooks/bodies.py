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
    """The limits, and how much is held at this moment."""

    def __init__(self, most_bytes: int, seconds: float, most_held: int) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._most_held = most_held
        self.held = 0

    async def read(self, headers: Headers, receive: Receive) -> bytes:
        """The whole body. Raises BodyRefusedError, SenderGoneError.

        The caller must call `release` with its size when the body is not needed any more.
        """
        self._check_declared(headers)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise SenderGoneError("the sender has closed the connection")
                    part = message.get("body", b"")
                    size += len(part)
                    self.held += len(part)
                    self._check(size)
                    parts.append(part)
                    if not message.get("more_body", False):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
        except TimeoutError:
            self.release(size)
            raise BodyRefusedError(
                408, f"the body did not arrive in {self._seconds:g} seconds"
            ) from None
        except (BodyRefusedError, SenderGoneError, asyncio.CancelledError):
            self.release(size)
            raise

    def release(self, size: int) -> None:
        """Count a body as not held any more."""
        self.held -= size

    def _check_declared(self, headers: Headers) -> None:
        declared = [value for name, value in headers if name == b"content-length"]
        if declared and declared[0].isdigit():
            self._check(int(declared[0]))

    def _check(self, size: int) -> None:
        if size > self._most_bytes:
            raise BodyRefusedError(413, f"the body has more than {self._most_bytes} bytes")
        if self.held > self._most_held:
            raise BodyRefusedError(503, "too many deliveries at a time; send it again later")
