"""Sends one request and reads its answer, within bounds of bytes and time.

Belongs here: HTTP alone. An address with its query, a header or a body is in no message and no log,
since they may hold tokens.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

MOST_BYTES = 16 << 20
TIMEOUT_SECONDS = 20.0
"""For connecting, and between two pieces of an answer."""
DEADLINE_SECONDS = 90.0
"""For an answer as a whole. Shorter than the lease of a budget's reservation."""
_MOST_REDIRECTS = 3


class TransportError(RuntimeError):
    """No whole answer came. `was_sent` tells whether the platform may have acted on the request."""

    def __init__(self, found: str, *, was_sent: bool) -> None:
        super().__init__(found)
        self.was_sent = was_sent


class RedirectRefusedError(RuntimeError):
    """The platform redirects to another host, where no token must go."""


@dataclass(frozen=True)
class HttpAnswer:
    """An answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """HTTP connections to one platform."""

    def __init__(self, base_url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self.base_url = base_url
        self.host = urlsplit(base_url).netloc
        # They log each address with its query.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        is_loopback = urlsplit(base_url).hostname in {"localhost", "127.0.0.1", "::1"}
        self.client = httpx.Client(
            timeout=timeout,
            trust_env=not is_loopback,
            headers={"user-agent": "social-assets", "accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Ask for a path below the base URL. Raises TransportError, RedirectRefusedError."""
        url = self.base_url + path
        deadline = time.monotonic() + DEADLINE_SECONDS
        for _ in range(_MOST_REDIRECTS + 1):
            request = self.client.build_request(
                method, url, params=query or None, json=json, data=form, headers=headers
            )
            answer = self._answer(request, deadline)
            target = answer.headers.get("location")
            is_followed = method == "GET" or answer.status in {307, 308}
            if answer.status not in {301, 302, 303, 307, 308} or not target or not is_followed:
                return answer
            url, query = urljoin(str(request.url), target), None
            here, there = urlsplit(self.base_url), urlsplit(url)
            if (there.scheme, there.netloc) != (here.scheme, here.netloc):
                raise RedirectRefusedError(
                    f"{self.host} redirects to another host, {there.hostname}"
                )
        raise TransportError(
            f"{self.host} redirects more than {_MOST_REDIRECTS} times", was_sent=True
        )

    def _answer(self, request: httpx.Request, deadline: float) -> HttpAnswer:
        try:
            response = self.client.send(request, stream=True)
            try:
                body = self._body(response, deadline)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            was_sent = not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
            raise TransportError(f"{self.host} did not answer in time", was_sent=was_sent) from None
        except httpx.HTTPError as error:
            was_sent = not isinstance(error, httpx.ConnectError)
            told = "cut the connection" if was_sent else "cannot be reached"
            # The library's text may hold the address.
            raise TransportError(
                f"{self.host} {told} ({type(error).__name__})", was_sent=was_sent
            ) from None
        return HttpAnswer(response.status_code, dict(response.headers), body)

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        pieces, size = [], 0
        for piece in response.iter_bytes(64 << 10):
            size += len(piece)
            if size > MOST_BYTES:
                raise TransportError(
                    f"{self.host} answers more than {MOST_BYTES >> 20} MiB", was_sent=True
                )
            if time.monotonic() > deadline:
                raise TransportError(f"{self.host} answers too slowly", was_sent=True)
            pieces.append(piece)
        return b"".join(pieces)
