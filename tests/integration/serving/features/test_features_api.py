"""`/api/v1/features`: the features of one id now, for keys that may see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resources.settings.home import Home
from social_assets.features.online.chosen_store import FILE, online_store
from social_assets.features.online.materialize import materialize
from social_assets.features.online.redis_store import URL_VARIABLE
from tests.integration.serving.conftest import Api, running
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.redis_server import RedisServer

PATH = "/api/v1/features"


@pytest.fixture(scope="module")
def filled(loaded: WarehouseUnderTest) -> Iterator[Home]:
    """The online store of the warehouse, as of now."""
    store = online_store(loaded.home)
    materialize(loaded.client, store, loaded.home.path / "locks")
    store.close()
    yield loaded.home
    (loaded.home.features / FILE).unlink(missing_ok=True)


def test_a_user_has_the_features_of_the_days_that_have_ended(filled: Home, serving: Api) -> None:
    answer = serving.client().get(f"{PATH}/user/u1")
    assert answer.status_code == 200
    [found] = answer.json()["platforms"]
    assert found["platform"] == "Instagram"
    assert found["features"]["likes_28d"] == 1
    assert found["features"]["days_since_active"] == 2
    assert found["features"]["events_of_day"] is None
    assert answer.json()["as_of"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_account_has_those_of_the_platform_that_is_named(filled: Home, serving: Api) -> None:
    answer = serving.client().get(f"{PATH}/account/1", params={"platform": "instagram"})
    [found] = answer.json()["platforms"]
    assert (found["features"]["likes_28d"], found["features"]["views_28d"]) == (30, 60)


def test_an_id_that_nobody_knows_is_a_problem(filled: Home, serving: Api) -> None:
    answer = serving.client().get(f"{PATH}/post/nothing")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
    assert "90 days" in answer.json()["remedy"]


@pytest.mark.parametrize("path", ["community/1", "user/u1?plattform=X"])
def test_an_unknown_entity_or_parameter_is_a_problem(filled: Home, serving: Api, path: str) -> None:
    assert serving.client().get(f"{PATH}/{path}").status_code == 400


def test_a_key_of_one_account_sees_its_account_and_its_posts_alone(
    filled: Home, serving: Api
) -> None:
    client = serving.client(serving.key("Instagram:1"))
    assert client.get(f"{PATH}/account/1").status_code == 200
    assert client.get(f"{PATH}/post/p1").status_code == 200
    hidden, absent = client.get(f"{PATH}/account/2"), client.get(f"{PATH}/account/99")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json()["detail"].replace("'2'", "'99'") == absent.json()["detail"]
    assert client.get(f"{PATH}/post/p3").status_code == 404
    assert client.get(f"{PATH}/user/u1").status_code == 403


def test_nobody_reads_features_without_a_key(filled: Home, serving: Api) -> None:
    assert serving.client("sa_wrong").get(f"{PATH}/user/u1").status_code == 401


def test_a_key_that_asks_too_often_waits(filled: Home, serving: Api) -> None:
    client = serving.client(serving.key(per_minute=1))
    codes = [client.get(f"{PATH}/user/u1").status_code for _ in range(3)]
    assert codes[0] == 200
    assert 429 in codes


def test_a_redis_that_ends_is_a_problem_without_its_password(
    loaded: WarehouseUnderTest, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, redis.url)
    with running(loaded.home) as api:
        empty = api.client().get(f"{PATH}/user/u1")
        assert (empty.status_code, empty.json()["platforms"]) == (200, [])
        assert "materialize" in empty.json()["note"]
        redis.kill()
        answer = api.client().get(f"{PATH}/user/u1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "of-the-tests" not in answer.text
