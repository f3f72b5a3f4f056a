"""A request as ASGI servers give it, read for the gates in front of our applications.

Belongs here: reading headers, query and cookies of a scope. What a request must be is decided by
the gates; standard library only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Request:
    """The parts of a request that decide whether it is passed on."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method = str(scope.get("method", "GET")).upper()
        self.path = str(scope["path"])
        self._headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            values = self._headers.setdefault(name.decode("latin-1").lower(), [])
            values.append(value.decode("latin-1"))

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The parameters of the query, in its order."""
        return parse_qsl(self._query_string.decode("latin-1"), True)

    def all(self, name: str) -> Sequence[str]:
        """The values of all headers with this lower-case name."""
        return self._headers.get(name, ())

    def first(self, name: str) -> str:
        """The first value; "" without one."""
        values = self._headers.get(name)
        return values[0] if values else ""

    def take_token(self) -> str | None:
        """Take the token from the query and remove it: server logs show the query."""
        text = self._query_string
        # Most queries have none, and need not be read here. Its name may be written in hex.
        if b"token" not in text and b"%" not in text:
            return None
        tokens = [value for key, value in self.query if key == "token"]
        if tokens:
            self.query = [(key, value) for key, value in self.query if key != "token"]
            self.scope["query_string"] = urlencode(self.query).encode()
        return tokens[0] if tokens else None

    @property
    def _query_string(self) -> bytes:
        return bytes(self.scope.get("query_string", b""))

    @property
    def target(self) -> str:
        """Path and query of the same request, on this server."""
        raw = self.scope.get("raw_path") or self.path.encode()
        path = "/" + bytes(raw).split(b"?")[0].decode("latin-1").lstrip("/\\")
        return f"{path}?{urlencode(self.query)}" if self.query else path

    @property
    def is_navigation(self) -> bool:
        """Whether a person opens a page; no action is taken, and no script can read the answer."""
        wanted = self.first("sec-fetch-dest") in ("", "document")
        is_graphql = self.path.rstrip("/").endswith("/graphql")
        return self.method in SAFE_METHODS and wanted and not is_graphql

    @property
    def comes_from_elsewhere(self) -> bool:
        """Whether the request comes from a page of another site."""
        is_page = self.first("sec-fetch-dest") == "document"
        return is_page and self.first("sec-fetch-site") in ("cross-site", "same-site")

    @property
    def is_encrypted(self) -> bool:
        """Whether the browser uses TLS, directly or through a proxy that says so."""
        forwarded = self.first("x-forwarded-proto").lower()
        return "https" in (str(self.scope.get("scheme", "")), forwarded)

    @property
    def port(self) -> int:
        """The port that was asked."""
        server = self.scope.get("server") or ("", 0)
        return server[1] or 0

    @property
    def wants_page(self) -> bool:
        """Whether the answer is shown to a person."""
        return "text/html" in self.first("accept")

    def cookie(self, name: str) -> str | None:
        """The value of a cookie; None without it."""
        try:
            found = SimpleCookie("; ".join(self.all("cookie"))).get(name)
        except CookieError:
            # Cookies of other servers on this machine may have a form that parsers refuse.
            return None
        return None if found is None else found.value
