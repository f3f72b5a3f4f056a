"""The accounts of a running platform server: tracked with credentials of their own, and released.

Belongs here: what the demonstration and the tests of whole collections do with a server's accounts
in the operational store of a home. The server itself is in `platforms`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.control.errors import UnknownCredentialError, UnknownTrackedAccountError
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.ingest.connectors.registry import connector_of, url_setting
from social_assets.ingest.media.addresses import ALLOWED_HOST

_SECONDS = 120.0


@contextmanager
def asked_at(url: str) -> Iterator[None]:
    """Let the connectors of this process ask the server at an address instead of the platforms.

    Pictures may be fetched from it too, though it is on loopback.
    """
    settings = {url_setting(each): f"{url}/{each}" for each in PLATFORMS}
    settings[ALLOWED_HOST] = urlsplit(url).netloc
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def has_others(url: str, home: Home) -> bool:
    """Whether a home has credentials, or accounts that are not paused, of others than a server's.

    What a killed demonstration left is the server's.
    """
    served = {(each.platform, each.account_id) for each in _accounts(_given(url), PLATFORMS)}
    engine = open_engine(home)
    try:
        tracked = TrackedAccounts(engine).list()
        found = {(each.platform, each.name) for each in tracked if each.paused_at is None}
        credentials = PlatformCredentials(engine, home).list()
    finally:
        engine.dispose()
    return not found | {(each.platform, each.name) for each in credentials} <= served


def track_served(
    url: str, home: Home, plan: CollectionPlan, platforms: Iterable[str] = PLATFORMS
) -> list[Account]:
    """Track every account of a server, each with a credential of its own; returns the accounts."""
    given = _given(url)
    accounts = _accounts(given, platforms)
    engine = open_engine(home)
    try:
        credentials, tracked = PlatformCredentials(engine, home), TrackedAccounts(engine)
        for account in accounts:
            of_platform = given[account.platform.lower()]
            client = (of_platform["clients"] or [{}])[0]
            tokens = of_platform["accounts"][account.account_id]
            found = Tokens(
                tokens["access_token"],
                tokens.get("refresh_token"),
                client.get("client_id"),
                client.get("client_secret"),
            )
            credentials.add(account.platform, found, account.account_id)
            tracked.track(account, plan)
            tracked.resume(account.platform, account.account_id)
    finally:
        engine.dispose()
    return accounts


def release_served(url: str, home: Home, reason: str) -> None:
    """Remove the credentials of a server's accounts, and pause these: the server is to end."""
    engine = open_engine(home)
    try:
        credentials, tracked = PlatformCredentials(engine, home), TrackedAccounts(engine)
        for account in _accounts(_given(url), PLATFORMS):
            with suppress(UnknownCredentialError):
                credentials.remove(account.platform, account.account_id)
            with suppress(UnknownTrackedAccountError):
                tracked.pause(account.platform, account.account_id, reason)
    finally:
        engine.dispose()


def _given(url: str) -> Any:
    return httpx.get(f"{url}/__tokens", timeout=_SECONDS).raise_for_status().json()


def _accounts(given: Any, platforms: Iterable[str]) -> list[Account]:
    return [
        Account(connector_of(platform).platform, account_id)
        for platform in platforms
        for account_id in given[platform]["accounts"]
    ]
