"""What a server of dashboards and API is started with.

Belongs here: the values and their defaults. Variables of the environment are read by
`from_environment` and nowhere else in this room.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from resources.settings.home import Home
from resources.web.token import HOSTS, ui_token

MOST_HELD = 500_000
"""Lists of recommendations: about 140 MB."""

PORT = 8080
HOST = "127.0.0.1"
CACHE_URL = "SOCIAL_ASSETS_CACHE_URL"


@dataclass(frozen=True)
class ServeSettings:
    """Where the server listens, whom it believes, and how much it may hold."""

    home: Home
    token: str = field(repr=False)
    """The token of the installation, which signs a browser in."""
    host: str = HOST
    port: int = PORT
    names: frozenset[str] = frozenset()
    """Host names by which it may be addressed, besides those of loopback."""
    cache_url: str | None = field(default=None, repr=False)
    """A Redis server that several servers share as their cache; None: in this process."""
    warehouse_threads: int = 4
    """Queries at once."""
    cache_seconds: int = 60
    cache_bytes: int = 64 * 2**20
    most_lists: int = MOST_HELD
    """Lists of recommendations that are held in memory; others are read when they are asked for."""
    refresh_seconds: float = 60.0
    """How often an open dashboard asks again."""

    @classmethod
    def from_environment(cls, home: Home, host: str = HOST, port: int = PORT) -> ServeSettings:
        """The settings of a home. Raises EnvironmentSettingsError for a token that is too short."""
        names = (name.strip().lower() for name in os.environ.get(HOSTS, "").split(","))
        return cls(
            home,
            ui_token(home),
            host,
            port,
            frozenset(filter(None, names)),
            os.environ.get(CACHE_URL) or None,
        )
