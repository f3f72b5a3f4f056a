"""The application over a warehouse with a few posts, and keys that see all or some accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.control.accounts import Account
from social_assets.control.api_keys import ApiKeys, Role
from social_assets.control.engine import open_engine
from social_assets.serving.app import create_app
from social_assets.serving.settings import ServeSettings
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, served

BASE = "http://127.0.0.1:8080"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
NOON = TODAY - timedelta(days=1, hours=12)
"""When all of it happened: the day before yesterday, at noon."""


@dataclass(frozen=True)
class Api:
    """The application, and callers of it."""

    home: Home
    token: str
    app: FastAPI
    keys: ApiKeys
    started: TestClient

    def client(self, key: str | None = None, **headers: str) -> TestClient:
        """A program with a key; without one, with the installation's token."""
        bearer = {"Authorization": f"Bearer {key or self.token}"}
        found = TestClient(self.app, BASE, headers={**bearer, **headers})
        # In the event loop that the application was started in, as with a server.
        found.portal = self.started.portal
        return found

    def key(self, *accounts: str, role: Role = Role.READ, per_minute: int = 1_000_000) -> str:
        """A new key that sees these accounts; without any, all."""
        scope = [Account.parse(each) for each in accounts] or None
        return self.keys.create("test", accounts=scope, role=role, per_minute=per_minute).text


def event(number: int, account: int, post: str, kind: str = "like", **other: Any) -> Row:
    """One reaction on the day before yesterday."""
    return {
        "event_id": f"e{number}",
        "event_time": NOON,
        "platform": "Instagram",
        "account_id": str(account),
        "post_id": post,
        "user_id": f"u{number}",
        "metric_type": kind,
        "value": 1.0,
        **other,
    }


def post(name: str, account: int, content: str, platform: str = "Instagram") -> Row:
    """One published post."""
    return {
        "post_id": name,
        "account_id": str(account),
        "platform": platform,
        "content": content,
        "tags": ["tag"],
        "media_type": "image",
        "published_at": NOON,
        "event_time": NOON,
    }


def profile(account: int, hours: int, platform: str = "Instagram", **told: Any) -> Row:
    """One profile, so many hours after NOON."""
    time = NOON + timedelta(hours=hours)
    known = {"platform": platform, "account_id": str(account), "event_time": time}
    return {**known, "collected_at": time, **told}


def segment(hours: int, age: str, gender: str, value: float | None, **other: Any) -> Row:
    """One segment of the followers of account 1."""
    time = NOON + timedelta(hours=hours)
    return {
        "figure_id": f"{hours}{age}{gender}{other}",
        "platform": "Instagram",
        "account_id": "1",
        "event_time": time,
        "collected_at": time,
        "metric": "follower_demographics",
        "period": "lifetime",
        "dimension": "age",
        "segment": age,
        "second_dimension": "gender",
        "second_segment": gender,
        "value": value,
        **other,
    }


@pytest.fixture(scope="session")
def loaded(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    """Three accounts: 1 has 30 likes on p1 and p2, 2 has 5 on p3, account 1 of TikTok has 2."""
    with served(deployed_home("serving")) as warehouse:
        likes = [event(n, 1, "p1" if n < 20 else "p2") for n in range(30)]
        likes += [event(100 + n, 2, "p3") for n in range(5)]
        likes += [event(200 + n, 3, "p4", platform="TikTok") for n in range(2)]
        views = [event(300 + n, 1, "p1", "view") for n in range(60)]
        warehouse.stream("engagement_events", *likes, *views)
        warehouse.stream(
            "posts",
            post("p1", 1, "A walk along the river Spree"),
            post("p2", 1, "Bread, baked at home"),
            post("p3", 2, "The river in winter"),
            post("p4", 3, "A dance", "TikTok"),
        )
        warehouse.stream(
            "profiles",
            profile(1, 0, handle="one", followers=90, is_verified=True, biography="Walks"),
            profile(1, 1, handle="one", followers=100, is_verified=True),
            profile(2, 0, handle="two", followers=7),
            profile(3, 0, "TikTok", handle="three", following=0),
        )
        warehouse.stream(
            "audience",
            segment(0, "18-24", "F", 70.0),
            segment(0, "65+", "F", 30.0),
            segment(1, "18-24", "F", 30.0),
            segment(1, "18-24", "M", 10.0),
            segment(1, "25-34", "F", 60.0),
            segment(1, "", "", 99.0, metric="reach", dimension="", second_dimension=""),
        )
        yield warehouse


@pytest.fixture(autouse=True)
def _current_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another folder's warehouse of the session may have become the current one since `loaded`."""
    if "loaded" in request.fixturenames:
        home = request.getfixturevalue("loaded").home
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))


@pytest.fixture(scope="session")
def serving(loaded: WarehouseUnderTest) -> Iterator[Api]:
    """The application over it, running."""
    with running(loaded.home) as api:
        yield api


class running:  # noqa: N801 - a context manager
    """An application of a home, started for a block."""

    def __init__(self, home: Home, **settings: Any) -> None:
        self._settings = ServeSettings(home, token="t" * 40, **settings)
        self._app = create_app(self._settings)
        self._client = TestClient(self._app, BASE)

    def __enter__(self) -> Api:
        self._client.__enter__()
        home = self._settings.home
        return Api(home, self._settings.token, self._app, ApiKeys(open_engine(home)), self._client)

    def __exit__(self, *error: Any) -> None:
        self._client.__exit__(*error)


@pytest.fixture
def fresh(loaded: WarehouseUnderTest, tmp_path: Path) -> Iterator[Api]:
    """An application whose cache is empty."""
    with running(loaded.home) as api:
        yield api
