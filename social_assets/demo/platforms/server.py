"""The ASGI application: routes a request to its platform, and breaks some on purpose.

Belongs here: reading requests, faults, writing responses. What a platform answers belongs to
`apis`; the control paths (`/__...`) belong to `control`.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from social_assets.demo.platforms.access.ledger import CallLedger
from social_assets.demo.platforms.access.tokens import GrantedTokens
from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    PlatformApi,
    Platforms,
    encoded,
)
from social_assets.demo.platforms.apis.facebook import FacebookApi
from social_assets.demo.platforms.apis.instagram import InstagramApi
from social_assets.demo.platforms.apis.tiktok import TikTokApi
from social_assets.demo.platforms.apis.x import XApi
from social_assets.demo.platforms.apis.youtube import YouTubeApi
from social_assets.demo.platforms.control import ServerControl
from social_assets.demo.platforms.faults import Fault, FaultPlan
from social_assets.demo.platforms.pictures.answer import PATH as PICTURES
from social_assets.demo.platforms.pictures.answer import PictureServer
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.demo.platforms.world.clock import SimulatedClock
from social_assets.demo.platforms.world.world import SimulatedWorld, WorldOptions

_VERSION = re.compile(r"(v\d{1,2}(\.\d+)?|2)$")
_BASES = ("youtube", "tiktok")
_LOCAL = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$")
_REPEATED = 2


class CutConnectionError(ConnectionError):
    """Raised in the middle of a body, on purpose: uvicorn closes the connection."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What determines the server."""

    seed: int = 1
    accounts: int = 10
    begin: int | None = None
    """Day of the first posts (Unix seconds); by default twenty days ago."""
    faults: float = 0.0
    now: int | None = None
    """Where the clock stands (Unix seconds) until it is set; by default it shows real time."""


class PlatformServer:
    """One ASGI application for all platforms."""

    def __init__(self, options: ServerOptions) -> None:
        self.clock = SimulatedClock(options.now)
        now = self.clock.now()
        begin = options.begin if options.begin is not None else int(now) - 20 * 86_400
        world = SimulatedWorld(WorldOptions(options.seed, options.accounts, begin))
        accounts = [account for name in PLATFORMS for account in world.accounts(name)]
        self.faults = FaultPlan(options.seed, options.faults)
        self.platforms = Platforms(world, GrantedTokens(options.seed, accounts, now), CallLedger())
        self._apis: Mapping[str, PlatformApi] = {
            "instagram": InstagramApi(self.platforms),
            "facebook": FacebookApi(self.platforms),
            "x": XApi(self.platforms),
            "tiktok": TikTokApi(self.platforms),
            "youtube": YouTubeApi(self.platforms),
        }
        self.pictures = PictureServer()
        self._control = ServerControl(self.platforms, self.clock, self.faults, self.pictures)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        headers = dict(scope["headers"])
        if not _LOCAL.match(headers.get(b"host", b"")):
            await _respond(send, ApiAnswer(421, {"error": "this server answers on loopback only"}))
            return
        body = await _body(receive)
        first, *rest = [part for part in scope["path"].split("/") if part] or [""]
        if first.startswith("__"):
            await _respond(send, await self._control.answer(scope, first, body))
        elif first == PICTURES:
            await self._picture(rest, receive, send)
        elif first in self._apis:
            await self._call(
                _call(scope, headers, [first, *rest], body, now=self.clock.now()), first, send
            )
        else:
            known = ", ".join(self._apis)
            await _respond(send, ApiAnswer(404, {"error": f"no such platform; there are {known}"}))

    async def _picture(self, rest: list[str], receive: Receive, send: Send) -> None:
        # The faults that leave the body alone: `pictures` has its own ones.
        fault = self.faults.of(PICTURES, "/".join(rest), is_token_call=True)
        if fault == "slow":
            await asyncio.sleep(self.faults.slow_seconds)
        await self.pictures.respond(receive, send, rest, fault)

    async def _call(self, call: ApiCall, platform: str, send: Send) -> None:
        api = self._apis[platform]
        is_token_call = bool({"oauth", "oauth2", "token", "refresh_access_token"} & {*call.parts})
        request = f"{call.method} {platform} {call.path} {sorted(call.query.items())} {call.body}"
        fault = self.faults.of(platform, request, is_token_call=is_token_call)
        if fault == "slow":
            await asyncio.sleep(self.faults.slow_seconds)
        if fault == "repeated_page":
            call.repeats = _REPEATED
        if is_token_call and fault not in (None, "slow"):
            answer = _failed(api, call, fault)
        else:
            answer = api.answer(call)
            if answer.status == 200:
                answer = self._spoilt(api, call, platform, answer, fault)
        self.platforms.ledger.count(platform, call.endpoint, answer.status)
        await _respond(send, answer, is_cut=fault == "cut" and answer.status == 200)

    def _spoilt(
        self,
        api: PlatformApi,
        call: ApiCall,
        platform: str,
        answer: ApiAnswer,
        fault: Fault | None,
    ) -> ApiAnswer:
        """Return what a good answer becomes by a fault."""
        match fault:
            case "throttled" | "error_500" | "error_502" | "error_503":
                return _failed(api, call, fault)
            case "invalid_json":
                answer.body = encoded(answer.body)[:-3]
            case "wrong_types":
                answer.body = _wrong_types(answer.body)
            case "wrong_field":
                _make_field_wrong(answer.body)
            case "falling_counters":
                for post_id in _ids(answer.body):
                    if self.platforms.world.post(platform, post_id, call.now) is not None:
                        self.platforms.world.fall(platform, post_id, call.now + 1)
        return answer


def _failed(api: PlatformApi, call: ApiCall, fault: Fault | None) -> ApiAnswer:
    if fault == "throttled":
        return api.throttled(call)
    return api.broken(call, int(str(fault).removeprefix("error_")))


def _call(
    scope: Scope, headers: Mapping[bytes, bytes], path: list[str], body: bytes, *, now: float
) -> ApiCall:
    platform, *rest = path
    parts = tuple(rest)
    while parts and (parts[0] in _BASES or _VERSION.match(parts[0])):
        parts = parts[1:]
    query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    kind = headers.get(b"content-type", b"")
    form = dict(parse_qsl(body.decode())) if kind.startswith(b"application/x-www-form") else {}
    if platform in ("instagram", "facebook"):  # Meta reads parameters from either
        query = form | query
    in_query = query.pop("access_token", None)
    scheme, _, credentials = headers.get(b"authorization", b"").decode().partition(" ")
    token = credentials if scheme.lower() == "bearer" else None
    basic = _basic(credentials) if scheme.lower() == "basic" else None
    return ApiCall(
        method=scope["method"],
        parts=parts,
        query=query,
        form=form,
        body=_json(body) if kind.startswith(b"application/json") else {},
        token=token or in_query or query.get("key"),
        basic=basic,
        now=now,
        url=f"http://{headers[b'host'].decode()}/{platform}",
        path="/" + "/".join(rest),
    )


def _basic(credentials: str) -> tuple[str, str] | None:
    try:
        name, _, secret = b64decode(credentials).decode().partition(":")
    except ValueError:
        return None
    return name, secret


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wrong_types(body: Any) -> Any:
    """Return the body with its records as a text."""
    if not isinstance(body, dict):
        return body
    return {name: "n/a" if name in ("data", "items") else value for name, value in body.items()}


def _make_field_wrong(body: Any) -> None:
    """Turn the first counter of the first record into a word."""
    pending = [body]
    while pending:
        each = pending.pop()
        if isinstance(each, list):
            pending += each[:1]
        elif isinstance(each, dict):
            for name, value in each.items():
                if name.endswith(("_count", "Count")):
                    each[name] = "many"
                    return
                pending.append(value)


def _ids(body: Any) -> list[str]:
    """Return the id of the first record of a page of posts."""
    data = body.get("data", body.get("items")) if isinstance(body, dict) else None
    if isinstance(data, dict):
        data = data.get("videos")
    return [str(each["id"]) for each in data[:1] if "id" in each] if isinstance(data, list) else []


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, answer: ApiAnswer, *, is_cut: bool = False) -> None:
    body = encoded(answer.body)
    headers = {"content-type": answer.content_type, "content-length": str(len(body))}
    raw = [(name.encode(), value.encode()) for name, value in (headers | answer.headers).items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if is_cut:
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
        raise CutConnectionError("the fault `cut`")
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
