"""The platform server for tests of whole collections: its accounts tracked, its truth read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from resources.settings.home import Home
from social_assets.demo.platforms.process import platform_server
from social_assets.demo.served_accounts import asked_at


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
        found: dict[str, Any] = self.get(f"/__truth?platform={platform}")
        return dict(found["platforms"][platform])


@contextmanager
def served_platforms(home: Home, *, seed: int, accounts: int) -> Iterator[ServedPlatforms]:
    """Run the server, and let the connectors of this process ask it."""
    with platform_server(seed=seed, accounts=accounts) as url, asked_at(url):
        yield ServedPlatforms(url, home)
