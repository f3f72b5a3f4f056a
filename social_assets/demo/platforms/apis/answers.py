"""Calls, answers and cursors, as all platforms share them.

Belongs here: what an API module takes and gives, opaque cursors, pages of a list. What an answer
holds belongs to the module of its platform.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Generic, Protocol, TypeVar

from social_assets.demo.platforms.access.ledger import CallLedger
from social_assets.demo.platforms.access.tokens import GrantedTokens, TokenGrant
from social_assets.demo.platforms.pictures.answer import picture_address
from social_assets.demo.platforms.world.clock import HOUR
from social_assets.demo.platforms.world.world import SimulatedWorld

JsonObject = dict[str, Any]
T = TypeVar("T")


@dataclass(slots=True)
class ApiCall:
    """One request to a platform. `parts` is its path without the platform and its versions."""

    method: str
    parts: tuple[str, ...]
    query: dict[str, str]
    form: dict[str, str]
    body: JsonObject
    token: str | None
    basic: tuple[str, str] | None
    now: float
    url: str
    """The address of the platform on this server: `http://127.0.0.1:8000/instagram`."""
    path: str
    repeats: int = 0
    """A fault: the page begins so many records earlier than it should."""
    endpoint: str = "unknown"
    """Set by the API module, for the ledger."""
    app: int = 1
    """Set by the API module: the app of the call's token."""

    def picture(self, name: str) -> str:
        """The address of a picture of the platform on this server."""
        server, _, platform = self.url.rpartition("/")
        return picture_address(server, platform, name, self.now)


@dataclass(slots=True)
class ApiAnswer:
    """Status, JSON body and headers of a response."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=UTF-8"


@dataclass(slots=True)
class Platforms:
    """What all API modules read and change."""

    world: SimulatedWorld
    tokens: GrantedTokens
    ledger: CallLedger
    cursor_seconds: float = 12 * HOUR
    """How long a page's cursor can be used."""
    x_spelling: str = "tweet"
    """`tweet` or `post`: what X calls things where the request does not say it."""


class PlatformApi(Protocol):
    """One platform: `answer` never raises for a wrong request."""

    def answer(self, call: ApiCall) -> ApiAnswer:
        """Answer a call."""

    def throttled(self, call: ApiCall) -> ApiAnswer:
        """Return the platform's answer to too many calls."""

    def broken(self, call: ApiCall, status: int) -> ApiAnswer:
        """Return the platform's answer when it fails."""


class CursorError(ValueError):
    """The cursor was not given by this server for this list, or has expired."""


class Refused(Exception):  # noqa: N818 - it carries an answer
    """Ends the handling of a call with an error of the platform."""

    def __init__(self, answer: ApiAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def cursor_of(place: str, scope: str, now: float) -> str:
    """Return an opaque cursor: a place in the list `scope`, and the time of its making."""
    text = f"{int(now)}|{place}|{_check(scope, place)}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str, scope: str, now: float, seconds: float) -> str:
    """Return the place that a cursor names. Raises CursorError."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        made, place, check = urlsafe_b64decode(padded.encode()).decode().split("|")
        age = now - int(made)
    except ValueError as error:
        raise CursorError("not a cursor") from error
    if check != _check(scope, place):
        raise CursorError("a cursor of another list")
    if age > seconds:
        raise CursorError("expired")
    return place


def _check(scope: str, place: str) -> str:
    return blake2b(f"{scope}|{place}".encode(), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class CutPage(Generic[T]):
    """Records of a page, with the offsets at which it and the next one begin."""

    records: Sequence[T]
    start: int
    next_start: int | None


def page_of(records: Sequence[T], start: int, limit: int, repeats: int) -> CutPage[T]:
    """Cut a page; the fault `repeats` lets it begin earlier."""
    end = start + limit
    cut = records[max(0, start - repeats) : end]
    return CutPage(cut, start, end if end < len(records) else None)


def whole_number(text: str | None, default: int, most: int) -> int:
    """Return a number of a query, at most `most`; the default if it is none."""
    if text is None or not text.isdigit():
        return default
    return max(1, min(int(text), most))


def digits(text: str) -> str:
    """Return a short number made from a text: for trace and log ids."""
    return str(int.from_bytes(blake2b(text.encode(), digest_size=6).digest()))


def encoded(body: Any) -> bytes:
    """Write JSON as bytes; a body of bytes stays as it is."""
    if isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def granted(platforms: Platforms, platform: str, call: ApiCall) -> TokenGrant | str:
    """Return the grant of the call's token, or why it is refused."""
    return platforms.tokens.state(platform, call.token, call.now)
