"""Two servers that share the answers of one Redis, and what they do while it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from resources.settings.home import Home
from social_assets.serving.asking.warehouse import WarehouseDownError, WarehouseThreads
from social_assets.serving.caching import shared_answers
from tests.integration.serving.conftest import Api, running
from tests.integration.serving.test_cached_answers import PATH, queries
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.redis_server import RedisServer

__all__ = ["queries"]  # a fixture

OTHER = "/api/v1/query?metrics=views&by=account&range=last_7_days"


@dataclass(frozen=True)
class Server:
    """One of the servers, asked over connections that stay open as long as it does."""

    api: Api
    client: TestClient

    def forget(self) -> None:
        """Empty its own cache."""
        self.api.app.state.services.kept._kept.clear()


@contextmanager
def server(home: Home, redis: RedisServer, **settings: Any) -> Iterator[Server]:
    """A server whose own cache is empty."""
    with running(home, cache_url=redis.url, **settings) as api:
        yield Server(api, api.client())


@pytest.fixture
def two(loaded: WarehouseUnderTest, redis: RedisServer) -> Iterator[tuple[Server, Server]]:
    """Two servers that share a Redis."""
    with server(loaded.home, redis) as one, server(loaded.home, redis) as other:
        yield one, other


def test_an_answer_that_one_server_has_computed_is_given_by_another(
    two: tuple[Server, Server], queries: list[str]
) -> None:
    one, other = (each.client.get(PATH) for each in two)
    assert one.content == other.content and one.headers["etag"] == other.headers["etag"]
    assert len(queries) == 1


def test_a_caller_is_not_given_what_another_scope_has_left_in_the_shared_cache(
    two: tuple[Server, Server],
) -> None:
    first, second = two
    seen = first.client.get(PATH).json()["rows"]
    key = second.api.key("Instagram:2")
    narrow = second.client.get(PATH, headers={"Authorization": f"Bearer {key}"}).json()["rows"]
    assert {row["likes"] for row in seen} == {30, 5, 2}
    assert [row["likes"] for row in narrow] == [5]


def test_answers_expire_in_redis(two: tuple[Server, Server], redis: RedisServer) -> None:
    two[0].client.get(PATH)
    left = redis.command("TTL", _only_key(redis))
    assert isinstance(left, int) and 0 < left <= 24 * 3600


@pytest.mark.parametrize(
    "garbage", ["", "no json", "{}\n", '{"media": "x", "computed_at": "y"}\n', "[1]\n", "1\n"]
)
def test_garbage_in_redis_is_computed_again_and_replaced(
    two: tuple[Server, Server], redis: RedisServer, queries: list[str], garbage: str
) -> None:
    one, other = two
    good = one.client.get(PATH)
    redis.command("SET", _only_key(redis), garbage)
    assert other.client.get(PATH).json()["rows"] == good.json()["rows"]
    assert len(queries) == 2
    one.forget()
    assert one.client.get(PATH).json()["rows"] == good.json()["rows"]
    assert len(queries) == 2, "a good answer stands in Redis again"


def test_a_redis_that_is_killed_and_started_again_is_used_again(
    two: tuple[Server, Server],
    redis: RedisServer,
    queries: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_answers, "_REST_SECONDS", 0.05)
    one, other = two
    assert one.client.get(PATH).status_code == 200
    redis.kill()
    assert [each.client.get(OTHER).status_code for each in two] == [200, 200]
    assert len(queries) == 3
    redis.start()
    ends = time.monotonic() + 60
    while not redis.command("DBSIZE"):
        assert time.monotonic() < ends, "no answer comes into the Redis that is back"
        one.forget()
        one.client.get(PATH)
    asked = -1
    while len(queries) != asked:
        assert time.monotonic() < ends, "the other server takes no answer from it"
        asked = len(queries)
        other.forget()
        assert other.client.get(PATH).status_code == 200


def test_a_redis_that_does_not_answer_holds_one_question_up_and_no_further_one(
    two: tuple[Server, Server], redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis.pause()
    for path in (PATH, OTHER, "/api/v1/metrics"):
        assert two[0].client.get(path).status_code == 200
    waited = [each for each in caplog.messages if "the shared cache does not answer" in each]
    assert len(waited) == 1
    assert "of-the-tests" not in caplog.text


def test_a_full_redis_costs_no_answer(two: tuple[Server, Server], redis: RedisServer) -> None:
    redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.command("CONFIG", "SET", "maxmemory", "1")
    assert [each.client.get(PATH).status_code for each in two] == [200, 200]
    assert redis.command("DBSIZE") == 0


def test_without_clickhouse_another_servers_last_good_answer_is_given(
    loaded: WarehouseUnderTest, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(loaded.home, redis, cache_seconds=0) as one:
        good = one.client.get(PATH)
    monkeypatch.setattr(WarehouseThreads, "_work", _down)
    with server(loaded.home, redis, cache_seconds=0) as other:
        stale = other.client.get(PATH)
    assert (stale.status_code, stale.headers["x-cache"]) == (200, "stale")
    assert stale.content == good.content


def _only_key(redis: RedisServer) -> str:
    (name,) = redis.command("KEYS", "*")  # type: ignore[misc]
    return str(name.decode())


def _down(self: WarehouseThreads, work: object, request_id: str) -> object:
    raise WarehouseDownError("it is away")
