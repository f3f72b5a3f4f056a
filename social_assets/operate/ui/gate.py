"""The gate in front of the Dagster UI: an ASGI application that passes only the user's requests.

Dagster's webserver has no users, and obeys every page that a browser shows. Belongs here: what a
request must be: addressed to one of our names, from one of our pages or from a program, with the
token of the installation, and in a form that no foreign page can send without permission. Token,
session and pages are those of `resources.web`; starting the server belongs to `ui.webserver`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from resources.web.answers import SAFE_HEADERS, send_answer, send_page
from resources.web.asgi import (
    SAFE_METHODS,
    App,
    Message,
    Receive,
    Request,
    Scope,
    Send,
)
from resources.web.pages import Site, continue_page, refused_page, sign_in_page
from resources.web.requests import LOOPBACK_NAMES, host_problem, origin_problem
from resources.web.session import BrowserSession

_LOG_SUFFIXES = frozenset({"out", "err"})
_SITE = Site("Dagster UI", "social-assets dev --print-url", "social-assets dev")


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
        self._session = BrowserSession(token, "session of the Dagster UI", "social_assets_ui")
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(Request(scope), receive, send)
        elif scope["type"] == "http":
            await self._http(Request(scope), receive, send)

    async def _websocket(self, request: Request, receive: Receive, send: Send) -> None:
        request.take_token()
        is_program = self._session.is_bearer(request)
        allowed = self._addressed_wrongly(request) is None and (
            is_program or (self._session.has_cookie(request) and bool(request.all("origin")))
        )
        if allowed:
            await self._app(request.scope, receive, send)
        else:
            # Before the connection is accepted: the server answers 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
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
            await send_page(
                send, 200, continue_page(_SITE, request.target), head=request.method == "HEAD"
            )
        elif (foreign := self._addressed_wrongly(request)) is not None:
            await _refuse(request, send, foreign)
        elif not (self._session.is_bearer(request) or self._session.has_cookie(request)):
            await _ask_to_sign_in(request, send)
        elif (refusal_of_form := _form_problem(request)) is not None:
            await _refuse(request, send, refusal_of_form)
        else:
            await self._app(request.scope, receive, _with_headers(send))

    async def _sign_in(self, request: Request, token: str, send: Send) -> None:
        if not self._session.is_token(token):
            await _ask_to_sign_in(request, send)
            return
        cookie = (b"set-cookie", self._session.cookie(request).encode())
        await send_page(send, 200, continue_page(_SITE, request.target), [cookie])

    def _addressed_wrongly(self, request: Request) -> _Refusal | None:
        hosts = request.all("host")
        problem = host_problem(hosts, self._names)
        if problem is None:
            fetch_site = request.first("sec-fetch-site")
            problem = origin_problem(request.all("origin"), hosts[0], fetch_site)
        if problem is None:
            return None
        return _Refusal(403, problem, "Use the pages of the Dagster UI itself.")


def _form_problem(request: Request) -> _Refusal | None:
    """Why a request is refused although its sender is known."""
    names = [part for part in request.path.split("/") if part]
    refusal = _path_problem(request.path, names)
    if refusal is not None:
        return refusal
    if request.method in SAFE_METHODS:
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


async def _refuse(request: Request, send: Send, refusal: _Refusal) -> None:
    if request.wants_page:
        page = refused_page(refusal.status, refusal.reason, refusal.remedy)
        await send_page(send, refusal.status, page, head=request.method == "HEAD")
    else:
        await _text(send, refusal.status, f"{refusal.reason}. {refusal.remedy}")


async def _ask_to_sign_in(request: Request, send: Send) -> None:
    if request.wants_page:
        await send_page(send, 401, sign_in_page(_SITE), head=request.method == "HEAD")
    else:
        await _text(
            send,
            401,
            "the token of this installation is needed: send Authorization: Bearer <token>; "
            "`social-assets dev --print-url` prints the address with the token",
        )


async def _text(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"errors": [{"message": reason}]}).encode()
    await send_answer(send, status, b"application/json", body, [])


def _with_headers(send: Send) -> Send:
    """Add headers so that no other site can show the UI in a frame."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {key.lower() for key, _ in message.get("headers", [])}
            added = [(key, value) for key, value in SAFE_HEADERS if key not in known]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sent
