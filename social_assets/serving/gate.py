"""The gate in front of dashboards and API: an ASGI middleware that passes only known callers.

Belongs here: what a request must be, and who sends it. It is addressed to one of our names, comes
from one of our pages or from a program, and shows the session of a browser, the installation's
token or an API key. Which accounts a caller may see is enforced where they are read. CORS is off:
no answer allows another origin.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass

from resources.web.answers import SAFE_HEADERS, send_page
from resources.web.asgi import App, Message, Receive, Request, Scope, Send
from resources.web.pages import Site, continue_page, refused_page, sign_in_page
from resources.web.requests import LOOPBACK_NAMES, host_problem, origin_problem
from resources.web.session import BrowserSession
from social_assets.serving.body_limit import limited
from social_assets.serving.callers import PERSON, Caller, KeyRing
from social_assets.serving.figures import ServerFigures
from social_assets.serving.problems import ProblemError, problem_response
from social_assets.serving.rate_limit import RateLimit

_log = logging.getLogger(__name__)

SITE = Site("dashboards", "social-assets serve --print-url", "social-assets serve")
CALLER = "caller"
REQUEST_ID = "request_id"
"""What the state of a request holds, for the application behind the gate."""

_NO_ANSWER = 499
_OPEN_PATHS = frozenset({"/api/v1/health"})
"""What a load balancer asks without a key; the answer tells nothing of the data."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
MAKE_A_KEY = (
    "Send the header `Authorization: Bearer sa_...` with a key of `social-assets keys create`; in "
    f"a browser, open the address that `{SITE.print_url}` prints."
)


class ServingGate:
    """Wraps the application, and gives each request an id and a caller."""

    def __init__(
        self,
        app: App,
        token: str,
        keys: KeyRing,
        figures: ServerFigures,
        names: Collection[str] = (),
    ) -> None:
        self._app = app
        self._session = BrowserSession(token, "session of the dashboards", "social_assets_serve")
        self._keys = keys
        self._figures = figures
        self._limit = RateLimit()
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _request_id(request)
        scope.setdefault("state", {})[REQUEST_ID] = request_id
        begun, status = time.perf_counter(), _Status()
        marked = _marked(send, request_id, status)
        try:
            if not await self._is_answered(request, marked):
                caller = await self._caller(request)
                if caller is not None:
                    self._limit.take(caller)
                scope["state"][CALLER] = caller
                await self._app(scope, limited(request, receive), marked)
        except ProblemError as problem:
            await self._refuse(request, request_id, problem, marked, receive)
        except Exception:
            _log.exception("a request failed", extra={REQUEST_ID: request_id})
            if status.code != _NO_ANSWER:
                raise
            await self._refuse(request, request_id, _unexpected(), marked, receive)
        finally:
            seconds = time.perf_counter() - begun
            self._figures.count_request(request.method, status.code, seconds)
            if _log.isEnabledFor(logging.INFO):
                _log_request(request, request_id, status.code, seconds)

    async def _is_answered(self, request: Request, send: Send) -> bool:
        """Whether the request only signs in or moves on. Raises ProblemError."""
        token = request.take_token()
        self._check_host(request)
        is_head = request.method == "HEAD"
        if token is not None and request.is_navigation and self._session.is_token(token):
            cookie = (b"set-cookie", self._session.cookie(request).encode())
            page = continue_page(SITE, request.target)
            await send_page(send, 200, page, [cookie], head=is_head)
            return True
        if request.is_navigation and request.comes_from_elsewhere:
            # A link in a mail or chat: browsers do not send the cookie until our own page
            # navigates.
            await send_page(send, 200, continue_page(SITE, request.target), head=is_head)
            return True
        return False

    def _check_host(self, request: Request) -> None:
        problem = host_problem(request.all("host"), self._names)
        if problem is not None:
            raise ProblemError(
                403,
                problem,
                "Ask http://127.0.0.1 with the port of the server, or add the name to "
                "SOCIAL_ASSETS_UI_HOSTS.",
            )

    async def _caller(self, request: Request) -> Caller | None:
        fetch_site = request.first("sec-fetch-site")
        foreign = origin_problem(request.all("origin"), request.first("host"), fetch_site)
        if foreign is not None:
            raise ProblemError(403, foreign, "Ask from the server's own pages, or from a program.")
        caller = await self._identified(request)
        if caller is None and request.path not in _OPEN_PATHS:
            raise ProblemError(401, "the request shows no valid key", MAKE_A_KEY)
        return caller

    async def _identified(self, request: Request) -> Caller | None:
        scheme, _, text = request.first("authorization").partition(" ")
        if scheme.lower() == "bearer":
            # A key that is wrong is refused, whatever cookie comes with it.
            is_person = self._session.is_token(text.strip())
            return PERSON if is_person else await self._keys.verify(text.strip())
        if not self._session.has_cookie(request):
            return None
        media = request.first("content-type").partition(";")[0].strip().lower()
        if request.method == "POST" and media != "application/json":
            raise ProblemError(
                415,
                f"the content type {media or 'of nothing'} is not taken",
                "Send Content-Type: application/json.",
            )
        return PERSON

    async def _refuse(
        self,
        request: Request,
        request_id: str,
        problem: ProblemError,
        send: Send,
        receive: Receive,
    ) -> None:
        if not request.wants_page or is_for_programs(request.path):
            await problem_response(problem, request_id)(request.scope, receive, send)
            return
        page = (
            sign_in_page(SITE)
            if problem.status == 401
            else refused_page(problem.status, problem.detail, problem.remedy)
        )
        await send_page(send, problem.status, page, head=request.method == "HEAD")


def _unexpected() -> ProblemError:
    return ProblemError(
        500,
        "the server has failed at this request",
        "Tell the operator the request id: it is in the log, with the reason.",
    )


def is_for_programs(path: str) -> bool:
    """Whether errors of a path are problem documents, also in a browser."""
    return path.startswith("/api/") or path in ("/metrics", "/openapi.json")


def _request_id(request: Request) -> str:
    """The id that the sender gives, so that it finds its request in our logs; else a new one."""
    given = request.first("x-request-id")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _log_request(request: Request, request_id: str, status: int, seconds: float) -> None:
    caller = request.scope["state"].get(CALLER)
    _log.info(
        "%s %s",
        request.method,
        request.path,
        extra={
            "request_id": request_id,
            "caller": None if caller is None else caller.name,
            "status": status,
            "seconds": round(seconds, 6),
        },
    )


@dataclass
class _Status:
    """The status of the answer; 499 if the caller was gone before it."""

    code: int = _NO_ANSWER


def _marked(send: Send, request_id: str, status: _Status) -> Send:
    """Add the id, and the headers by which no other site can use an answer."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.code = message["status"]
            headers = list(message.get("headers", []))
            known = {key.lower() for key, _ in headers}
            headers += [(key, value) for key, value in SAFE_HEADERS if key not in known]
            headers.append((b"x-request-id", request_id.encode()))
            message = {**message, "headers": headers}
        await send(message)

    return sent
