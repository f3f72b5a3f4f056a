"""Reads tokens that a person enters, and renews stored ones when a person asks for it.

Belongs here: what `social-assets credentials` does beside storing. No message holds what was
entered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.collection.credentials import (
    CredentialRecord,
    PlatformCredentials,
    Tokens,
)
from social_assets.control.errors import UnknownCredentialError
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.declaration.oauth import TokenRenewal
from social_assets.ingest.connectors.engine.token_keeper import TokenKeeper
from social_assets.ingest.connectors.engine.transport import Transport
from social_assets.ingest.connectors.registry import base_url_of

_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}")
_TEXTS = ("access_token", "refresh_token", "client_id", "client_secret")
_KNOWN = {*_TEXTS, "client_key", "expires_in", "refresh_expires_in", "expires_at"}


class TokenTextError(ValueError):
    """What was entered is no token; the text does not repeat it."""


def tokens_of(
    connector: Connector,
    given: str | Mapping[str, object],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Tokens:
    """The tokens of a text: one token, or a JSON object. Raises TokenTextError."""
    values = _values(given) if isinstance(given, str) else dict(given)
    values.setdefault("client_id", values.get("client_key"))
    texts = {name: _text(name, values.get(name)) for name in _TEXTS}
    access = texts.pop("access_token")
    if access is None:
        raise TokenTextError(
            "there is no access token; give a token alone, or a JSON object with access_token"
        )
    now = clock()
    ends = _expiry(values, now)
    oauth = connector.oauth
    if ends is None and isinstance(oauth, TokenRenewal) and oauth.lasts is not None:
        ends = now + oauth.lasts
    final = _seconds("refresh_expires_in", values.get("refresh_expires_in"))
    tokens = Tokens(
        access,
        **texts,
        access_expires_at=ends,
        final_expires_at=now + final if final else None,
        obtained_at=now,
    )
    if isinstance(oauth, TokenRenewal) or tokens.refresh_token is None:
        # Nothing but a person renews it after that.
        return replace(tokens, final_expires_at=ends)
    return tokens


def renew(
    connector: Connector, home: Home, engine: Engine, name: str | None
) -> list[CredentialRecord]:
    """Renew all active credentials of a platform, or one, and return them.

    Raises UnknownCredentialError, RefusedCredentialError, RefreshFailedError.
    """
    store = PlatformCredentials(engine, home)
    found = [
        each
        for each in store.list(connector.platform)
        if (each.is_active if name is None else each.name == name)
    ]
    if not found:
        what = f"with the name {name!r}" if name else "that is active"
        raise UnknownCredentialError(f"there is no credential of {connector.platform} {what}")
    base_url = base_url_of(connector)
    with Transport(base_url) as transport:
        keeper = TokenKeeper(
            connector,
            store,
            transport,
            lambda: datetime.now(UTC),
            is_moved=base_url != connector.base_url.rstrip("/"),
        )
        for each in found:
            keeper.renew(each)
    return [store.get(each.id) for each in found]


def _values(text: str) -> dict[str, object]:
    text = text.strip()
    if not text.startswith("{"):
        return {"access_token": text}
    try:
        values = json.loads(text)
    except ValueError:
        # The decoder's error is not shown behind this one: it holds the text.
        raise TokenTextError("what was entered begins like a JSON object, and is none") from None
    unknown = sorted(set(values) - _KNOWN - {"token_type", "scope", "open_id"})
    if unknown:
        raise TokenTextError(
            f"the JSON object has {', '.join(map(repr, unknown))}; known are "
            f"{', '.join(sorted(_KNOWN))}"
        )
    return dict(values)


def _text(name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise TokenTextError(f"{name} is no text of printable ASCII characters without blanks")
    return value


def _expiry(values: Mapping[str, object], now: datetime) -> datetime | None:
    at = values.get("expires_at")
    if at is None:
        lasts = _seconds("expires_in", values.get("expires_in"))
        return now + lasts if lasts else None
    try:
        found = datetime.fromisoformat(str(at))
    except ValueError:
        raise TokenTextError("expires_at is no time such as 2026-12-31T00:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _seconds(name: str, value: object) -> timedelta | None:
    if value is None:
        return None
    try:
        return timedelta(seconds=float(str(value)))
    except (ValueError, OverflowError):
        raise TokenTextError(f"{name} is no number of seconds") from None
