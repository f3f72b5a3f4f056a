"""A warehouse whose posts and comments can be searched, and the application over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.transform.text.documents import index_days
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.sentiment import score_days
from tests.integration.serving.conftest import NOON, Api, event, running
from tests.integration.serving.conftest import post as at_noon
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, served

DAYS = [(NOON - timedelta(days=n)).date() for n in range(3)]


def post(name: str, account: int, content: str, days_ago: int = 0, platform: str = "X") -> Row:
    written = NOON - timedelta(days=days_ago)
    row = at_noon(name, account, content, platform)
    return {**row, "published_at": written, "event_time": written, "tags": []}


def comment(name: str, of: str, account: int, content: str, likes: int = 0) -> Row:
    return {
        "platform": "X",
        "comment_id": name,
        "post_id": of,
        "account_id": str(account),
        "published_at": NOON + timedelta(hours=1),
        "event_time": NOON + timedelta(hours=1),
        "content": content,
        "likes": likes,
    }


@pytest.fixture(scope="session")
def texts(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("search")) as warehouse:
        warehouse.stream(
            "posts",
            post("p1", 1, "A walk along the river. The river is high and the river is loud"),
            post("p2", 1, "Crème brûlée by the River", 1),
            post("p3", 2, "The old black forest, far from the river and from every black road", 2),
            post("p4", 2, "A forest that is black #SummerSale with @natgeo"),
            post("p5", 3, "東京タワーに行きました 🔥", platform="Instagram"),
            post("p6", 3, "<b>rain</b> & <script>alert(1)</script>", platform="Instagram"),
            post("p7", 1, "I love this great rainy day"),
        )
        warehouse.stream(
            "comments",
            comment("c1", "p1", 1, "an awful river, the worst", likes=7),
            comment("c2", "p3", 2, "I love it"),
        )
        warehouse.stream("engagement_events", *(event(n, 2, "p3", platform="X") for n in range(9)))
        score_days(warehouse.client, lexicon_model(), DAYS, "scores")
        index_days(warehouse.client, warehouse.home.path / "locks", DAYS, "documents")
        yield warehouse


@pytest.fixture(autouse=True)
def _searched_home(texts: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(texts.home.path))


@pytest.fixture(scope="session")
def searched(texts: WarehouseUnderTest) -> Iterator[Api]:
    with running(texts.home) as api:
        yield api


@pytest.fixture
def ask(searched: Api) -> Callable[..., Any]:
    def asked(q: str, key: str | None = None, **parameters: Any) -> Any:
        client = searched.client(key)
        return client.get("/api/v1/search", params={"q": q, **parameters})

    return asked


@pytest.fixture
def ids(ask: Callable[..., Any]) -> Callable[..., list[str]]:
    def found(q: str, key: str | None = None, **parameters: Any) -> list[str]:
        answer = ask(q, key, **parameters)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["results"]]

    return found
