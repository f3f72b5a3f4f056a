"""Questions that come while others wait: they share a query, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from social_assets.metrics.answer import Answer
from social_assets.metrics.planner.question import Filter, Question
from social_assets.serving.asking import questions as questions_module
from social_assets.serving.asking.questions import Questions
from social_assets.serving.asking.warehouse import WarehouseBusyError, WarehouseThreads
from tests.integration.serving.conftest import TODAY, Api, running
from tests.integration.warehouse.conftest import WarehouseUnderTest

LIKES = Question(("likes",), TODAY - timedelta(days=7), TODAY)
PATH = "/api/v1/query?metrics=likes&range=last_7_days"


def of_account(account: str) -> Question:
    """The likes of an account."""
    return replace(LIKES, where=(Filter("account", (account,)),))


@asynccontextmanager
async def _occupied(warehouse: WarehouseThreads) -> AsyncIterator[None]:
    """A warehouse whose one thread is busy until the block ends."""
    begun, ends = Event(), Event()

    def work(_: Any) -> None:
        begun.set()
        ends.wait(60)

    busy = asyncio.create_task(warehouse.run(work, "busy"))
    try:
        while not begun.is_set():
            await asyncio.sleep(0.01)
        yield
    finally:
        ends.set()
        await busy


async def _queued(questions: Questions, *asked: Question) -> list[asyncio.Task[Answer]]:
    """Askers of these questions, who all wait."""
    tasks = [asyncio.create_task(questions.ask(each, "test")) for each in asked]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def _likes(answer: Answer) -> object:
    return answer.rows[0].values[0] if answer.rows else None


@pytest.mark.usefixtures("loaded")
def test_questions_that_wait_share_one_query() -> None:
    async def scenario() -> None:
        warehouse = WarehouseThreads(1, wait_seconds=60)
        questions = Questions(warehouse)
        async with _occupied(warehouse):
            tasks = await _queued(questions, *map(of_account, ("1", "2", "3", "nobody")))
        answers = await asyncio.gather(*tasks)
        assert [_likes(each) for each in answers] == [30, 5, 2, None]
        assert len({each.asked_at for each in answers}) == 1
        warehouse.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("loaded")
def test_an_asker_that_hangs_up_takes_no_answer_from_the_others() -> None:
    async def scenario() -> None:
        warehouse = WarehouseThreads(1, wait_seconds=60)
        questions = Questions(warehouse)
        async with _occupied(warehouse):
            first, second, third = await _queued(questions, *map(of_account, ("1", "2", "3")))
            first.cancel()
            third.cancel()
        assert _likes(await second) == 5
        with pytest.raises(asyncio.CancelledError):
            await first
        warehouse.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("loaded")
def test_a_query_that_fails_is_asked_again_for_each_question_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: Any) -> None:
        raise DatabaseError("Code: 241. Memory limit exceeded")

    monkeypatch.setattr(questions_module, "ask_together", failing)

    async def scenario() -> None:
        warehouse = WarehouseThreads(1, wait_seconds=60)
        questions = Questions(warehouse)
        async with _occupied(warehouse):
            tasks = await _queued(questions, *map(of_account, ("1", "2")))
        assert [_likes(each) for each in await asyncio.gather(*tasks)] == [30, 5]
        (alone,) = await _queued(questions, of_account("1"))
        with pytest.raises(DatabaseError, match="241"):
            await alone
        warehouse.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("loaded")
def test_askers_with_other_accounts_never_share_a_query() -> None:
    async def scenario() -> None:
        warehouse = WarehouseThreads(1, wait_seconds=60)
        questions = Questions(warehouse)
        mine = replace(LIKES, accounts=(("Instagram", "1"),))
        theirs = replace(LIKES, accounts=(("Instagram", "2"),))
        async with _occupied(warehouse):
            tasks = await _queued(questions, mine, theirs, LIKES, of_account("2"))
        answers = await asyncio.gather(*tasks)
        assert [_likes(each) for each in answers] == [30, 5, 37, 5]
        assert len({each.asked_at for each in answers}) == 4
        warehouse.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("loaded")
def test_a_question_that_gets_no_turn_in_time_is_refused() -> None:
    async def scenario() -> None:
        warehouse = WarehouseThreads(1, wait_seconds=0.05)
        questions = Questions(warehouse)
        async with _occupied(warehouse):
            tasks = await _queued(questions, of_account("1"), of_account("2"))
            refused = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(each) for each in refused] == [WarehouseBusyError] * 2
        assert _likes(await questions.ask(of_account("1"), "test")) == 30
        warehouse.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("loaded")
def test_a_full_queue_refuses_at_once() -> None:
    async def scenario() -> None:
        warehouse = WarehouseThreads(1, wait_seconds=60, most_waiting=1)
        async with _occupied(warehouse):
            waits = asyncio.create_task(warehouse.run(lambda _: 1, "first"))
            await asyncio.sleep(0)
            with pytest.raises(WarehouseBusyError, match="wait for ClickHouse"):
                await warehouse.run(lambda _: 2, "second")
        assert await waits == 1
        warehouse.close()

    asyncio.run(scenario())


def test_a_busy_warehouse_gives_the_last_answer_marked_stale_or_503(
    loaded: WarehouseUnderTest,
) -> None:
    with running(loaded.home, cache_seconds=0) as api:
        good = api.client().get(PATH)
        _refuse_all(api)
        stale, refused = api.client().get(PATH), api.client().get(f"{PATH}&grain=day")
    assert (stale.status_code, stale.headers["x-cache"]) == (200, "stale")
    assert stale.content == good.content
    assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
    assert "wait for the warehouse" in refused.json()["detail"]


def _refuse_all(api: Api) -> None:
    """As if as many waited as may."""
    warehouse = api.app.state.services.warehouse
    warehouse._waiting = warehouse._most_waiting
