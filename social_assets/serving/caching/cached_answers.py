"""Answers of the API from a cache: an ASGI middleware behind the gate.

Belongs here: which requests are cached, by what key, for how long, and what is given while the
warehouse is away. A key has the accounts that the caller may see, so that no caller is given
another's answer. Requests for one question that come at the same time are computed once. An answer
that is asked for shortly before it expires is computed anew meanwhile, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import parse_qsl, urlencode

from resources.settings.variables import hidden
from resources.web.asgi import App, Message, Receive, Scope, Send
from social_assets.serving.caching.kept_answers import KeptAnswer, KeptAnswers
from social_assets.serving.caching.shared_answers import SharedAnswers
from social_assets.serving.callers import Caller
from social_assets.serving.figures import ServerFigures
from social_assets.serving.gate import CALLER

STALE_SECONDS = 24 * 3600
"""How old the last good answer may be that is given while the warehouse is away."""

_NOT_CACHED = ("/api/v1/health", "/api/v1/reports", "/api/v1/features/", "/api/v1/deletions")
"""Also what depends on the role of a key: callers that see the same accounts share answers."""
_RECOMMENDATIONS = "/recommendations"
"""The end of a path whose answers come from memory, and follow what users do."""
_AWAY = 503
_MOST_REFRESHED = 64
"""Refreshes at once. More than the threads of the warehouse, since those that wait share queries;
few enough that a new question gets its turn."""
_REST_SECONDS = 5.0
"""After a refresh that failed, its answer is not refreshed for so long."""
_MOST_SPELLINGS = 50_000
_VARY = (b"vary", b"Authorization, Cookie, Accept-Encoding")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Computed:
    """What the application has answered."""

    start: Message
    body: bytes


class CachedAnswers:
    """Wraps the application; answers GET below /api/v1 from the cache if it can."""

    def __init__(
        self,
        app: App,
        kept: KeptAnswers,
        shared: SharedAnswers | None,
        fresh_seconds: int,
        figures: ServerFigures,
    ) -> None:
        self._app = app
        self._kept = kept
        self._shared = shared
        self._fresh_seconds = fresh_seconds
        self._figures = figures
        self._running: dict[str, asyncio.Task[_Computed | KeptAnswer]] = {}
        self._refreshing = 0
        self._spellings: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or pass the request on and keep what it answers."""
        if scope["type"] != "http" or not _is_cached(scope):
            await self._app(scope, receive, send)
            return
        caller = cast(Caller, scope["state"][CALLER])
        key = self._key(caller, scope)
        now = time.time()
        answer = self._kept.get(key)
        if answer is not None and answer.is_fresh(now):
            if answer.is_due(now):
                self._refresh(key, scope)
            await self._give(scope, send, answer, b"hit", now)
            return
        computed = await self._computed_once(key, scope)
        now = time.time()
        if isinstance(computed, KeptAnswer):
            is_old = computed is answer or not computed.is_fresh(now)
            await self._give(scope, send, computed, b"stale" if is_old else b"miss", now)
            return
        self._figures.count_cache("error")
        await send(computed.start)
        await send({"type": "http.response.body", "body": computed.body})

    def _key(self, caller: Caller, scope: Scope) -> str:
        """One for all spellings of a question: the order of parameters does not matter."""
        spelt = f"{caller.scope}|{scope['path']}?{scope['query_string'].decode('latin-1')}"
        found = self._spellings.get(spelt)
        if found is None:
            pairs = parse_qsl(scope["query_string"].decode("latin-1"), True)
            # The order of the values of one parameter does matter.
            sorted_query = urlencode(sorted(pairs, key=lambda pair: pair[0]))
            found = f"{caller.scope}|{scope['path']}?{sorted_query}"
            self._spellings[spelt] = found
            if len(self._spellings) > _MOST_SPELLINGS:
                self._spellings.popitem(last=False)
        return found

    async def _computed_once(self, key: str, scope: Scope) -> _Computed | KeptAnswer:
        """The answer that is computed now, by this request or by one before it."""
        return await asyncio.shield(self._running.get(key) or self._start(key, scope))

    def _start(self, key: str, scope: Scope) -> asyncio.Task[_Computed | KeptAnswer]:
        # A task of its own: it goes on if the first of its callers hangs up.
        task = self._running[key] = asyncio.create_task(self._compute(key, scope))
        task.add_done_callback(lambda _: self._running.pop(key, None))
        return task

    def _refresh(self, key: str, scope: Scope) -> None:
        """Compute an answer anew while the old one is given."""
        if key not in self._running and self._refreshing < _MOST_REFRESHED:
            self._refreshing += 1
            self._start(key, scope).add_done_callback(self._end_refresh)

    def _end_refresh(self, task: asyncio.Task[_Computed | KeptAnswer]) -> None:
        self._refreshing -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("an answer could not be refreshed: %s", hidden(str(error)))

    async def _compute(self, key: str, scope: Scope) -> _Computed | KeptAnswer:
        if self._shared is not None and (found := await self._shared.get(key)) is not None:
            ours = self._kept.get(key)
            is_newer = ours is None or ours.computed_at < found.computed_at
            if is_newer and found.is_fresh(time.time()):
                self._kept.put(key, found)
                return found
            self._keep_newer(key, found)
        computed_at = time.time()
        computed = await self._asked(scope)
        if computed.start["status"] == 200:
            answer = KeptAnswer.of(
                _header(computed.start, b"content-type"),
                computed.body,
                computed_at,
                self._fresh_seconds,
            )
            self._kept.put(key, answer)
            if self._shared is not None:
                await self._shared.put(key, answer, STALE_SECONDS)
            return answer
        last = self._kept.get(key)
        if last is not None:
            self._kept.put(key, replace(last, refresh_at=time.time() + _REST_SECONDS))
        is_away = computed.start["status"] == _AWAY
        if is_away and last is not None and last.age(time.time()) < STALE_SECONDS:
            return last
        return computed

    def _keep_newer(self, key: str, found: KeptAnswer) -> None:
        ours = self._kept.get(key)
        if ours is None or ours.computed_at < found.computed_at:
            self._kept.put(key, found)

    async def _asked(self, scope: Scope) -> _Computed:
        """Ask the application, whose answers are small enough to be held."""
        starts: list[Message] = []
        parts: list[bytes] = []

        async def received() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)
            else:
                parts.append(message.get("body", b""))

        await self._app({**scope, "method": "GET"}, received, sent)
        return _Computed(starts[0], b"".join(parts))

    async def _give(
        self, scope: Scope, send: Send, answer: KeptAnswer, how: bytes, now: float
    ) -> None:
        self._figures.count_cache(how.decode())
        age = answer.age(now)
        left = max(0, int(answer.computed_at + answer.fresh_seconds - now))
        headers = [
            (b"content-type", answer.media),
            (b"etag", answer.tag),
            # An HTTP cache of ours in front reads the second one, which it does not pass on.
            (b"cache-control", b"private, max-age=%d" % left),
            (b"x-accel-expires", b"%d" % _seconds_in_front(answer, now)),
            (b"age", b"%d" % age),
            (b"x-cache", how),
            _VARY,
        ]
        if how == b"stale":
            headers.append((b"warning", b'110 - "the warehouse does not answer"'))
        body, status = answer.body, 200
        known, takes_gzip = _conditions(scope)
        if answer.tag in known or b"*" in known:
            body, status = b"", 304
        else:
            if answer.compressed is not None and takes_gzip:
                body = answer.compressed
                headers.append((b"content-encoding", b"gzip"))
            headers.append((b"content-length", b"%d" % len(body)))
            if scope["method"] == "HEAD":
                body = b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _seconds_in_front(answer: KeptAnswer, now: float) -> int:
    """How long an HTTP cache of ours keeps an answer: until it is refreshed, and then a second.

    It must ask before the answer expires, or else nobody asks for the refresh. A stale answer is
    kept for a second too, so that many readers of it are one reader here.
    """
    if answer.fresh_seconds == 0:
        return 0
    return max(1, min(answer.fresh_seconds, math.ceil(answer.refresh_at - now)))


def _is_cached(scope: Scope) -> bool:
    path = str(scope["path"])
    return (
        scope["method"] in ("GET", "HEAD")
        and path.startswith("/api/v1/")
        and not path.startswith(_NOT_CACHED)
        and not path.endswith(_RECOMMENDATIONS)
    )


def _conditions(scope: Scope) -> tuple[frozenset[bytes], bool]:
    """The tags that the caller has, and whether it takes gzip."""
    known: frozenset[bytes] = frozenset()
    takes_gzip = False
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            known = frozenset(part.strip() for part in value.split(b","))
        elif name == b"accept-encoding":
            takes_gzip = b"gzip" in value
    return known, takes_gzip


def _header(start: Message, name: bytes) -> bytes:
    for key, value in start.get("headers", []):
        if key.lower() == name:
            return bytes(value)
    return b"application/octet-stream"
