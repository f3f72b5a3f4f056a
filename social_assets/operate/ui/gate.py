"""The gate in front of the Dagster UI: an ASGI application that passes only the user's requests.

Dagster's webserver has no users, and obeys every page that a browser shows. Belongs here: what a
request must be: addressed to one of our names, from one of our pages or from a program, with the
token of the installation, and in a form that no foreign page can send without permission. The token
belongs to `ui.token`, the pages to `ui.pages`, starting the server to `ui.webserver`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from resources.web.requests import LOOPBACK_NAMES, host_problem, origin_problem
from social_assets.operate.ui.pages import continue_page, refused_page, sign_in_page

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_LOG_SUFFIXES = frozenset({"out", "err"})
_HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_COOKIE_SECONDS = 30 * 24 * 3600
_SIMPLE_CSP = b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True)
class _Refusal:
    status: int
    reason: str
    remedy: str


class UiGate:
    """Wraps the webserver's application."""

    def __init__(self, app: App, token: str, names: Collection[str] = ()) -> None:
        """`names` are host names by which the UI may be addressed, besides those of loopback."""
        self._app = app
        self._token = token.encode()
        self._session = hmac.new(self._token, b"session of the Dagster UI", hashlib.sha256)
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(_Request(scope), receive, send)
        elif scope["type"] == "http":
            await self._http(_Request(scope), receive, send)

    async def _websocket(self, request: _Request, receive: Receive, send: Send) -> None:
        request.take_token()
        is_program = self._is_bearer(request)
        allowed = self._addressed_wrongly(request) is None and (
            is_program or (self._has_cookie(request) and bool(request.all("origin")))
        )
        if allowed:
            await self._app(request.scope, receive, send)
        else:
            # Before the connection is accepted: the server answers 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, request: _Request, receive: Receive, send: Send) -> None:
        token = request.take_token()
        problem = host_problem(request.all("host"), self._names)
        if problem is not None:
            remedy = "Open http://127.0.0.1 with the port of the UI, or add the name to "
            refusal = _Refusal(403, problem, remedy + "SOCIAL_ASSETS_UI_HOSTS.")
            await _refuse(request, send, refusal)
        elif token is not None and request.is_navigation:
            await self._sign_in(request, token, send)
        elif request.is_navigation and request.comes_from_elsewhere:
            # A link in a mail or chat: browsers do not send the cookie until our own page
            # navigates.
            await _page(send, 200, continue_page(request.target), head=request.method == "HEAD")
        elif (foreign := self._addressed_wrongly(request)) is not None:
            await _refuse(request, send, foreign)
        elif not (self._is_bearer(request) or self._has_cookie(request)):
            await _ask_to_sign_in(request, send)
        elif (refusal_of_form := _form_problem(request)) is not None:
            await _refuse(request, send, refusal_of_form)
        else:
            await self._app(request.scope, receive, _with_headers(send))

    async def _sign_in(self, request: _Request, token: str, send: Send) -> None:
        if not hmac.compare_digest(token.encode(), self._token):
            await _ask_to_sign_in(request, send)
            return
        parts = [
            f"{request.cookie_name}={self._session.hexdigest()}",
            "Path=/; HttpOnly; SameSite=Strict",
            f"Max-Age={_COOKIE_SECONDS}",
            *(["Secure"] if request.is_encrypted else []),
        ]
        await _page(
            send, 200, continue_page(request.target), [(b"set-cookie", "; ".join(parts).encode())]
        )

    def _addressed_wrongly(self, request: _Request) -> _Refusal | None:
        hosts = request.all("host")
        problem = host_problem(hosts, self._names)
        if problem is None:
            fetch_site = request.first("sec-fetch-site")
            problem = origin_problem(request.all("origin"), hosts[0], fetch_site)
        if problem is None:
            return None
        return _Refusal(403, problem, "Use the pages of the Dagster UI itself.")

    def _is_bearer(self, request: _Request) -> bool:
        scheme, _, value = request.first("authorization").partition(" ")
        given = value.strip().encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(given, self._token)

    def _has_cookie(self, request: _Request) -> bool:
        expected = self._session.hexdigest().encode()
        given = request.cookie(request.cookie_name)
        return given is not None and hmac.compare_digest(given.encode(), expected)


class _Request:
    """The parts of a request that the gate reads."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method = str(scope.get("method", "GET")).upper()
        self.path = str(scope["path"])
        self._headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
        self.query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), True)

    def all(self, name: str) -> list[str]:
        """The values of all headers with this lower-case name."""
        return [value for key, value in self._headers if key.lower() == name]

    def first(self, name: str) -> str:
        """The first value; "" without one."""
        return next(iter(self.all(name)), "")

    def take_token(self) -> str | None:
        """Take the token from the query and remove it: server logs show the query."""
        tokens = [value for key, value in self.query if key == "token"]
        if tokens:
            self.query = [(key, value) for key, value in self.query if key != "token"]
            self.scope["query_string"] = urlencode(self.query).encode()
        return tokens[0] if tokens else None

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
        return self.method in _SAFE_METHODS and wanted and not is_graphql

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
    def cookie_name(self) -> str:
        """One for each port: browsers give cookies to all ports of a machine."""
        server = self.scope.get("server") or ("", 0)
        return f"social_assets_ui_{server[1] or 0}"

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


def _form_problem(request: _Request) -> _Refusal | None:
    """Why a request is refused although its sender is known."""
    names = [part for part in request.path.split("/") if part]
    refusal = _path_problem(request.path, names)
    if refusal is not None:
        return refusal
    if request.method in _SAFE_METHODS:
        is_query = "graphql" in names[-1:] and any(key == "query" for key, _ in request.query)
        remedy = "Send it by POST as application/json."
        return _Refusal(405, "GraphQL is not run by GET", remedy) if is_query else None
    if request.method != "POST":
        return _Refusal(405, f"{request.method} is not served", "Use GET or POST.")
    media = request.first("content-type").split(";")[0].strip().lower()
    if media != "application/json" or len(request.all("content-type")) != 1:
        said = f"the content type {media or 'of nothing'} is not taken"
        return _Refusal(415, said, "Send Content-Type: application/json.")
    return None


def _path_problem(path: str, names: list[str]) -> _Refusal | None:
    if {"..", "."} & set(names) or "\\" in path or "\0" in path:
        return _Refusal(400, "the path leaves the folder that it names", "Name the file itself.")
    if "notebook" in names[-1:]:
        # It would read any notebook of the machine; no asset here has one.
        return _Refusal(404, "this installation has no notebooks", "Open the asset's own page.")
    if "logs" in names[:1] and not _is_log(names):
        return _Refusal(404, "there is no such log", "Open the log from its run's page.")
    return None


def _is_log(names: list[str]) -> bool:
    """`logs/<run>/compute_logs/<step>/<out or err>`."""
    return len(names) >= 3 and names[-1] in _LOG_SUFFIXES


async def _refuse(request: _Request, send: Send, refusal: _Refusal) -> None:
    if request.wants_page:
        page = refused_page(refusal.status, refusal.reason, refusal.remedy)
        await _page(send, refusal.status, page, head=request.method == "HEAD")
    else:
        await _text(send, refusal.status, f"{refusal.reason}. {refusal.remedy}")


async def _ask_to_sign_in(request: _Request, send: Send) -> None:
    if request.wants_page:
        await _page(send, 401, sign_in_page(), head=request.method == "HEAD")
    else:
        await _text(
            send,
            401,
            "the token of this installation is needed: send Authorization: Bearer <token>; "
            "`social-assets dev --print-url` prints the address with the token",
        )


async def _page(
    send: Send,
    status: int,
    text: str,
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    head: bool = False,
) -> None:
    more = [(b"content-security-policy", _SIMPLE_CSP), *(headers or [])]
    await _answer(send, status, b"text/html; charset=utf-8", b"" if head else text.encode(), more)


async def _text(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"errors": [{"message": reason}]}).encode()
    await _answer(send, status, b"application/json", body, [])


async def _answer(
    send: Send, status: int, media: bytes, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    fixed = [
        (b"content-type", media),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        *_HEADERS,
    ]
    if status == 401:
        fixed.append((b"www-authenticate", b"Bearer"))
    start = {"type": "http.response.start", "status": status, "headers": [*fixed, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    """Add headers so that no other site can show the UI in a frame."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {key.lower() for key, _ in message.get("headers", [])}
            added = [(key, value) for key, value in _HEADERS if key not in known]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sent
