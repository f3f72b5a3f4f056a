"""The operational store in SQLite and in PostgreSQL: a test that asks for `engine` runs in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from resources.settings.environments import CONTROL_URL
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.control.engine import open_engine


@pytest.fixture
def sqlite_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose store is a file."""
    monkeypatch.delenv(CONTROL_URL, raising=False)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "ho me% ü"))
    return Home(tmp_path / "ho me% ü")


@pytest.fixture(params=["sqlite", "postgres"])
def store_home(
    request: pytest.FixtureRequest, sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> Home:
    """A home whose store is empty, in either database."""
    if request.param == "postgres":
        monkeypatch.setenv(CONTROL_URL, request.getfixturevalue("postgres_database"))
    return sqlite_home


@pytest.fixture
def engine(store_home: Home) -> Iterator[Engine]:
    """The engine of a store with all tables."""
    found = open_engine(store_home)
    yield found
    found.dispose()
