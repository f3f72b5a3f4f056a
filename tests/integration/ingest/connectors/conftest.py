"""A home with credentials, a clock that a test moves, and clients of a server that answers it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from resources.settings.environments import CONTROL_URL
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.control.collection.credentials import PlatformCredentials
from social_assets.control.engine import open_engine
from tests.integration.ingest.connectors.collecting import Collecting, MovedClock
from tests.integration.ingest.connectors.replay_server import Replayed, replay_server


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose store has its tables: making them takes longer than most of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(CONTROL_URL, raising=False)
        home = Home(tmp_path_factory.mktemp("migrated") / "home")
        open_engine(home).dispose()
    return home.path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _migrated: Path) -> Home:
    monkeypatch.delenv(CONTROL_URL, raising=False)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    shutil.copytree(_migrated, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    found = open_engine(home)
    yield found
    found.dispose()


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def credentials(engine: Engine, home: Home, clock: MovedClock) -> PlatformCredentials:
    return PlatformCredentials(engine, home, clock)


@pytest.fixture
def server() -> Iterator[Replayed]:
    with replay_server() as replayed:
        yield replayed


@pytest.fixture
def at_the_server(server: Replayed, monkeypatch: pytest.MonkeyPatch) -> Replayed:
    for platform in ("INSTAGRAM", "FACEBOOK", "X", "TIKTOK", "YOUTUBE"):
        monkeypatch.setenv(f"SOCIAL_ASSETS_{platform}_URL", server.url)
    return server


@pytest.fixture
def collecting(
    engine: Engine,
    clock: MovedClock,
    credentials: PlatformCredentials,
    home: Home,
    at_the_server: Replayed,
) -> Iterator[Collecting]:
    found = Collecting(home, engine, clock, credentials, at_the_server)
    yield found
    found.close()
