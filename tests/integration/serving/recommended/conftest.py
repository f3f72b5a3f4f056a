"""A home with reactions of some users, a published model, and the lists that it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import recsys
from recsys.models.als import ALS
from recsys.registry.deployment_history import promote_model
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.recommend.folders import champions_root
from social_assets.recommend.interactions import FACT, read_interactions_since
from social_assets.recommend.list_rules import ServedRules
from social_assets.recommend.top_n import Refreshed, refresh_top_n
from social_assets.serving.recommended import served_lists
from tests.integration.serving.conftest import Api, running
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, served

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START, END = TODAY - timedelta(days=3), TODAY - timedelta(days=1)
USERS, POSTS = 30, 24


def reaction(user: str, post: str, when: datetime, number: int = 0) -> Row:
    """A like of a post; posts with even numbers are of account 1, others of account 2."""
    return {
        "event_id": f"{user}/{post}/{when:%d%H%M%S}/{number}",
        "event_time": when,
        "ingested_at": when,
        "platform": "Instagram",
        "account_id": "1" if int(post[1:]) % 2 == 0 else "2",
        "post_id": post,
        "user_id": user,
        "metric_type": "like",
        "value": 1.0,
    }


@dataclass(frozen=True)
class Recommending:
    """The operations of the tests on a home with recommendations."""

    warehouse: WarehouseUnderTest
    home: Home

    def react(self, user: str, *posts: str) -> None:
        """Reactions that arrive now."""
        now = datetime.now(UTC)
        self.warehouse.stream("engagement_events", *(reaction(user, p, now) for p in posts))

    def refresh(self, rules: ServedRules | None = None) -> Refreshed:
        """Make the lists of users that have changed, as the hourly run does."""
        model, now = recsys.load(champions_root()), datetime.now(UTC)
        return refresh_top_n(self.warehouse.client, model, "test", now, rules)

    def train(self, version: str) -> None:
        """Publish a model of the reactions of two days, and make all lists."""
        rows = read_interactions_since(self.warehouse.client, START, END)
        matrix = recsys.InteractionMatrix.from_table(rows)
        model = ALS(factors=8, seed=1)
        model.fit(matrix.csr)
        folder = recsys.publish(
            model,
            matrix,
            champions_root(),
            version=version,
            metrics={},
            data_window=(START, END),
            watermarks={FACT: {}},
            code_version="test",
            make_current=False,
        )
        promote_model(folder)
        self.refresh()


@pytest.fixture(scope="module")
def recommending(deployed_home: Callable[[str], Home]) -> Iterator[Recommending]:
    """Users of even numbers like posts of even numbers, and others the others."""
    with served(deployed_home("recommending")) as warehouse:
        likes = [
            reaction(f"u{user}", f"p{post}", START + timedelta(hours=user, minutes=post))
            for user in range(USERS)
            for post in range(user % 2, POSTS, 2)
            if (user * 7 + post * 3) % 5 < 3
        ]
        warehouse.stream("engagement_events", *likes)
        found = Recommending(warehouse, warehouse.home)
        found.train("v1")
        yield found


@pytest.fixture(autouse=True)
def _home_of_recommendations(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder's warehouse of the session may have become the current one."""
    if "recommending" in request.fixturenames:
        home = request.getfixturevalue("recommending").home
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))


@pytest.fixture
def api(recommending: Recommending) -> Iterator[Api]:
    """A server that has read nothing yet."""
    with running(recommending.home) as found:
        yield found


@pytest.fixture
def _read_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request waits for what the warehouse has at that moment."""
    monkeypatch.setattr(served_lists, "FRESH_SECONDS", -1.0)
    monkeypatch.setattr(served_lists, "LATEST_SECONDS", -1.0)


@pytest.fixture
def _without_rules_afterwards(recommending: Recommending) -> Iterator[None]:
    """Other tests find the lists of the model."""
    yield
    recommending.refresh()


def ask(api: Api, user: str, key: str | None = None, **parameters: Any) -> dict[str, Any]:
    """What a user is recommended."""
    answer = api.client(key).get(f"/api/v1/users/{user}/recommendations", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    """The items of an answer, in their order."""
    return [item["item_id"] for item in answer["items"]]
