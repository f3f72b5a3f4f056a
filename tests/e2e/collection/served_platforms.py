"""The platform server for tests of whole collections: its accounts tracked, its truth read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.demo.platforms.process import platform_server
from social_assets.ingest.connectors.registry import connector_of, url_setting

PLATFORMS = ("instagram", "facebook", "x", "tiktok", "youtube")
SetVariable = Callable[[str, str], None]


@dataclass
class ServedPlatforms:
    """A running server and the home that collects from it."""

    url: str
    home: Home

    def get(self, path: str) -> Any:
        """Read a control path."""
        return httpx.get(self.url + path, timeout=120).raise_for_status().json()

    def post(self, path: str, **said: Any) -> None:
        """Tell a control path something."""
        httpx.post(self.url + path, json=said, timeout=120).raise_for_status()

    def truth(self, platform: str) -> dict[str, dict[str, Any]]:
        """What the server holds of a platform, by account."""
        found: dict[str, dict[str, Any]] = self.get(f"/__truth?platform={platform}")
        return found["platforms"][platform]

    def track_all(self, plan: CollectionPlan) -> None:
        """Track every account of the server, each with a credential of its own."""
        engine = open_engine(self.home)
        credentials = PlatformCredentials(engine, self.home)
        tracked = TrackedAccounts(engine)
        given = self.get("/__tokens")
        for platform in PLATFORMS:
            name = connector_of(platform).platform
            client = (given[platform]["clients"] or [{}])[0]
            for account, tokens in given[platform]["accounts"].items():
                found = Tokens(
                    tokens["access_token"],
                    tokens.get("refresh_token"),
                    client.get("client_id"),
                    client.get("client_secret"),
                )
                credentials.add(name, found, account)
                tracked.track(Account(name, account), plan)
        engine.dispose()


@contextmanager
def served_platforms(
    home: Home, set_variable: SetVariable, *, seed: int, accounts: int
) -> Iterator[ServedPlatforms]:
    """Run the server, and let the connectors of this process ask it."""
    with platform_server(seed=seed, accounts=accounts) as url:
        for platform in PLATFORMS:
            set_variable(url_setting(platform), f"{url}/{platform}")
        yield ServedPlatforms(url, home)
