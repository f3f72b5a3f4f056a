"""The online store that the environment names: the home's SQLite file, or a Redis by URL."""

from __future__ import annotations

import os

from resources.settings.home import Home
from social_assets.features.online.redis_store import URL_VARIABLE, RedisStore
from social_assets.features.online.rows import OnlineStore
from social_assets.features.online.sqlite_store import SqliteStore

FILE = "online.db"


def online_store(home: Home) -> OnlineStore:
    """The store of a home; nothing is opened yet. Raises OnlineStoreError for a wrong URL."""
    url = os.environ.get(URL_VARIABLE)
    return RedisStore(url) if url else SqliteStore(home.features / FILE)
