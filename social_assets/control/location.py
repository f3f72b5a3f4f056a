"""Where the operational store is: a file of the home, or a PostgreSQL server.

Belongs here: the choice, and the checks of the setting. Connecting belongs to `engine`. Without
SQLAlchemy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from resources.settings.environments import CONTROL_URL, missing, require_complete
from resources.settings.home import Home
from resources.settings.secret_urls import check_postgres_url, read_url

_DRIVER = "postgresql+psycopg2"
FILE = "control.db"


@dataclass(frozen=True)
class ControlLocation:
    """The store's place. `str()` of it is for people and holds no password."""

    home: Home
    url: str | None = field(default=None, repr=False)
    """The URL of PostgreSQL for SQLAlchemy; None for SQLite in the home."""

    @classmethod
    def of(cls, home: Home) -> ControlLocation:
        """The place that the environment names. Raises EnvironmentSettingsError."""
        named = os.environ.get(CONTROL_URL)
        if not named:
            if CONTROL_URL in missing():
                require_complete()
            return cls(home)
        check_postgres_url(CONTROL_URL, named)
        return cls(home, f"{_DRIVER}://{named.partition('://')[2]}")

    @property
    def file(self) -> Path:
        """The file of SQLite."""
        return self.home.control / FILE

    def __str__(self) -> str:
        if self.url is None:
            return f"the operational store {self.file}"
        address = read_url(CONTROL_URL, self.url, (_DRIVER,), "")
        database = address.rest.partition("?")[0].strip("/") or address.user
        return (
            f"the operational store at {address.host}:{address.port or 5432}, database {database}"
        )
