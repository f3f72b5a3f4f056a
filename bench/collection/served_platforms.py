"""The platform server for whole collections: its accounts tracked, its truth and tokens read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from resources.settings.home import Home
from social_assets.demo.platforms.process import platform_server
from social_assets.demo.served_accounts import asked_at

Held = dict[str, dict[str, Any]]
"""What the server holds of a platform, by account."""


@dataclass
class ServedPlatforms:
    """A running server and the home that collects from it."""

    url: str
    home: Home

    def get(self, path: str) -> Any:
        """Read a control path."""
        return httpx.get(self.url + path, timeout=120).raise_for_status().json()

    def post(self, path: str, **said: Any) -> Any:
        """Tell a control path something; returns its answer."""
        return httpx.post(self.url + path, json=said, timeout=120).raise_for_status().json()

    def truth(self, platform: str, at: int | None = None) -> Held:
        """What the server holds of a platform, now or at a Unix second, by account."""
        when = "" if at is None else f"&at={at}"
        found: dict[str, Any] = self.get(f"/__truth?platform={platform}{when}")
        return dict(found["platforms"][platform])

    def truth_of(self, platform: str, account: str, at: int) -> dict[str, Any]:
        """What the server holds of an account at a Unix second."""
        found = self.get(f"/__truth?platform={platform}&account={account}&at={at}")
        return dict(found["platforms"][platform][account])

    def now(self) -> int:
        """The clock of the server, a Unix second."""
        return int(self.get("/__clock")["unix"])

    def calls(self) -> int:
        """How many calls of any platform it has answered."""
        return sum(each["calls"] for each in self.get("/__ledger")["calls"])

    def secrets(self) -> set[str]:
        """All tokens that are in use now, and the secrets of the apps."""
        found: set[str] = set()
        for given in self.get("/__tokens").values():
            found |= {client["client_secret"] for client in given["clients"]}
            found |= set(given["app_tokens"])
            for account in given["accounts"].values():
                found |= {account["access_token"], account["refresh_token"] or ""}
        return found - {""}


@contextmanager
def served_platforms(
    home: Home, *, seed: int, accounts: int, begin: str | None = None, now: str | None = None
) -> Iterator[ServedPlatforms]:
    """Run the server, and let the connectors of this process ask it.

    `accounts` are those of each platform; `begin` is the day of their first posts, and `now` is
    where the clock of the server stands.
    """
    server = platform_server(seed=seed, accounts=accounts, begin=begin, now=now)
    with server as url, asked_at(url):
        yield ServedPlatforms(url, home)
