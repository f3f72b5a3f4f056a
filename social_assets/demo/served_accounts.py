"""The accounts of a running platform server: tracked with credentials of their own, and released.

Belongs here: what the demonstration and the tests of whole collections do with a server's accounts
in the operational store of a home. The server itself is in `platforms`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.ingest.connectors.registry import connector_of, url_setting

_SECONDS = 120.0


@contextmanager
def asked_at(url: str) -> Iterator[None]:
    """Let the connectors of this process ask the server at an address instead of the platforms."""
    before = {url_setting(each): os.environ.get(url_setting(each)) for each in PLATFORMS}
    os.environ.update({url_setting(each): f"{url}/{each}" for each in PLATFORMS})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def is_collecting(home: Home) -> bool:
    """Whether a home has credentials, or accounts that are not paused: a person's own."""
    engine = open_engine(home)
    try:
        accounts = TrackedAccounts(engine).list()
        has_credentials = bool(PlatformCredentials(engine, home).list())
    finally:
        engine.dispose()
    return has_credentials or any(each.paused_at is None for each in accounts)


def track_served(
    url: str, home: Home, plan: CollectionPlan, platforms: Iterable[str] = PLATFORMS
) -> list[Account]:
    """Track every account of a server, each with a credential of its own; returns the accounts."""
    given = httpx.get(f"{url}/__tokens", timeout=_SECONDS).raise_for_status().json()
    engine = open_engine(home)
    try:
        credentials, tracked = PlatformCredentials(engine, home), TrackedAccounts(engine)
        accounts = []
        for platform in platforms:
            name = connector_of(platform).platform
            client = (given[platform]["clients"] or [{}])[0]
            for account_id, tokens in given[platform]["accounts"].items():
                found = Tokens(
                    tokens["access_token"],
                    tokens.get("refresh_token"),
                    client.get("client_id"),
                    client.get("client_secret"),
                )
                credentials.add(name, found, account_id)
                tracked.track(Account(name, account_id), plan)
                tracked.resume(name, account_id)
                accounts.append(Account(name, account_id))
    finally:
        engine.dispose()
    return accounts


def release_served(home: Home, accounts: Iterable[Account], reason: str) -> None:
    """Remove the credentials of a server's accounts, and pause these: the server is gone."""
    engine = open_engine(home)
    try:
        credentials, tracked = PlatformCredentials(engine, home), TrackedAccounts(engine)
        for account in accounts:
            tracked.pause(account.platform, account.account_id, reason)
            credentials.remove(account.platform, account.account_id)
    finally:
        engine.dispose()
