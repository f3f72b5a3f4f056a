"""The cache of answers: who computes, for how long, and what is given while ClickHouse is away."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from social_assets.serving.asking.warehouse import WarehouseThreads
from social_assets.serving.caching import kept_answers
from tests.integration.serving.conftest import Api, running
from tests.integration.warehouse.conftest import WarehouseUnderTest

PATH = "/api/v1/query?metrics=likes&by=account&grain=day&range=last_7_days"


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the requests for which the warehouse is asked."""
    asked: list[str] = []
    run = WarehouseThreads.run

    async def counted(self: WarehouseThreads, work: Any, request_id: str) -> Any:
        asked.append(request_id)
        return await run(self, work, request_id)

    monkeypatch.setattr(WarehouseThreads, "run", counted)
    return asked


def test_an_identical_question_is_computed_once_whatever_the_order_of_its_parameters(
    fresh: Api, queries: list[str]
) -> None:
    first = fresh.client().get(PATH)
    again = fresh.client().get("/api/v1/query?range=last_7_days&grain=day&by=account&metrics=likes")
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("miss", "hit")
    assert first.content == again.content
    assert len(queries) == 1


def test_the_order_of_metrics_is_another_question(fresh: Api) -> None:
    one = fresh.client().get("/api/v1/query?metrics=likes&metrics=views").json()
    other = fresh.client().get("/api/v1/query?metrics=views&metrics=likes").json()
    assert one["columns"] == ["likes", "views"] and other["columns"] == ["views", "likes"]


@pytest.mark.parametrize("path", [PATH, "/api/v1/posts?limit=2"])
def test_questions_that_come_at_the_same_time_are_computed_once(
    fresh: Api, queries: list[str], path: str
) -> None:
    client = fresh.client()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.get(path), range(16)))
    assert {each.status_code for each in answers} == {200}
    assert len(set(queries)) == 1


def test_an_answer_says_how_old_it_is_and_how_long_it_may_be_kept(fresh: Api) -> None:
    answer = fresh.client().get(PATH)
    private, _, seconds = answer.headers["cache-control"].partition(", max-age=")
    assert private == "private" and 55 <= int(seconds) <= 60
    # Together they are the time for which answers are kept, also if the first one took a second.
    assert int(answer.headers["age"]) + int(seconds) in (59, 60)
    assert answer.headers["vary"] == "Authorization, Cookie, Accept-Encoding"


def test_who_has_the_answer_already_is_sent_nothing(fresh: Api) -> None:
    tag = fresh.client().get(PATH).headers["etag"]
    again = fresh.client().get(PATH, headers={"If-None-Match": f'"x", {tag}'})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == tag
    assert fresh.client().get(PATH, headers={"If-None-Match": '"x"'}).status_code == 200


def test_answers_are_compressed_for_who_takes_it(fresh: Api) -> None:
    path = "/api/v1/metrics"
    with fresh.client().stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    plain = fresh.client().get(path, headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(raw) == plain.content
    assert "content-encoding" not in plain.headers


def test_without_clickhouse_the_last_good_answer_is_given_and_marked_stale(
    loaded: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(loaded.home, cache_seconds=0) as api:
        good = api.client().get(PATH)
        monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:9")
        _forget_clients(api)
        stale = api.client().get(PATH)
        assert stale.status_code == 200 and stale.content == good.content
        assert stale.headers["x-cache"] == "stale"
        assert stale.headers["warning"].startswith("110")
        assert stale.headers["cache-control"] == "private, max-age=0"
        other = api.client().get("/api/v1/query?metrics=views")
        assert other.status_code == 503
        assert int(other.headers["retry-after"]) > 0
        assert "127.0.0.1:9" not in other.text
        health = api.client().get("/api/v1/health")
        assert (health.status_code, health.json()["status"]) == (503, "degraded")


def test_a_question_that_gets_no_turn_is_told_when_to_come_again(fresh: Api) -> None:
    warehouse = fresh.app.state.services.warehouse
    warehouse._most_waiting = 0
    refused = fresh.client().get(PATH)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "more questions wait" in refused.json()["detail"]


def test_an_answer_is_refreshed_before_it_expires_while_the_old_one_is_given(
    loaded: WarehouseUnderTest, queries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Due as soon as it is there.
    monkeypatch.setattr(kept_answers, "_REFRESHED", (0.0, 0.0))
    with running(loaded.home) as api:
        client = api.client()
        first = client.get(PATH)
        again = client.get(PATH)
        assert (again.headers["x-cache"], again.content) == ("hit", first.content)
        assert again.headers["x-accel-expires"] == "1"
        _until(lambda: len(queries) == 2)


def test_a_refresh_that_fails_leaves_the_answer_and_is_not_repeated_at_once(
    loaded: WarehouseUnderTest, queries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_answers, "_REFRESHED", (0.0, 0.0))
    with running(loaded.home) as api:
        client = api.client()
        good = client.get(PATH)
        warehouse = api.app.state.services.warehouse
        warehouse._waiting = warehouse._most_waiting
        assert client.get(PATH).headers["x-cache"] == "hit"
        key = next(iter(api.app.state.services.kept._kept))
        _until(lambda: not api.app.state.services.kept.get(key).is_due(time.time()))
        later = [client.get(PATH) for _ in range(5)]
    assert {(each.headers["x-cache"], each.content) for each in later} == {("hit", good.content)}
    assert len(queries) == 2


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends, "it never holds"
        time.sleep(0.02)


def test_a_shared_cache_that_is_away_costs_no_answer(loaded: WarehouseUnderTest) -> None:
    with running(loaded.home, cache_url="redis://:secret@127.0.0.1:9/0") as api:
        first, again = (api.client().get(PATH) for _ in range(2))
    assert (first.status_code, first.headers["x-cache"]) == (200, "miss")
    assert again.headers["x-cache"] == "hit"


def test_the_request_id_is_in_the_query_log(
    fresh: Api, loaded: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments: list[str] = []
    work = WarehouseThreads._work

    def noted(self: WarehouseThreads, do: Any, request_id: str) -> Any:
        def told(client: Any) -> Any:
            comments.append(client.command("SELECT getSetting('log_comment')"))
            return do(client)

        return work(self, told, request_id)

    monkeypatch.setattr(WarehouseThreads, "_work", noted)
    fresh.client().get(PATH, headers={"X-Request-ID": "find-me-again"})
    assert comments == ["api:find-me-again"]


def _forget_clients(api: Api) -> None:
    """What a restart of the server does: connections are made anew."""
    warehouse = api.app.state.services.warehouse
    while (client := warehouse._taken()) is not None:
        client.close()
