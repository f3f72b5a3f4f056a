"""Questions of all requests on their way to ClickHouse: those of one family share a query.

Belongs here: who waits with whom. A question never waits for others to come: those that come while
the first of a family waits for its turn go with it. Which ones one query answers exactly belongs to
`metrics.ask_together`, and turns to `warehouse`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from social_assets.metrics.answer import Answer
from social_assets.metrics.ask import ask
from social_assets.metrics.ask_together import MOST_TOGETHER, Family, ask_together, family_of
from social_assets.metrics.planner.question import Question, check
from social_assets.serving.asking.warehouse import (
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseThreads,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass
class _Batch:
    """Questions that wait for one turn."""

    family: Family
    waiting: list[tuple[Question, asyncio.Future[Answer]]] = field(default_factory=list)


class Questions:
    """Asks the warehouse for requests."""

    def __init__(self, warehouse: WarehouseThreads) -> None:
        self._warehouse = warehouse
        self._open: dict[Family, _Batch] = {}
        self._lock = Lock()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question, request_id: str) -> Answer:
        """The answer of a question.

        Raises QuestionError, WarehouseBusyError, WarehouseDownError, clickhouse-connect's errors.
        """
        check(question)
        family = family_of(question)
        if family is None:
            return await self._alone(question, request_id)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        with self._lock:
            batch = self._open.get(family)
            is_first = batch is None or len(batch.waiting) >= MOST_TOGETHER
            if batch is None or is_first:
                batch = self._open[family] = _Batch(family)
            batch.waiting.append((question, future))
        if is_first:
            # A task of its own: it goes on for the others if its first asker is gone.
            self._start(self._run(batch, request_id))
        return await future

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, batch: _Batch, request_id: str) -> None:
        def work(client: Client) -> list[Answer | None]:
            # Its turn has come: whoever asks from now on waits for the next one.
            self._close(batch)
            return ask_together(client, [question for question, _ in batch.waiting])

        answers: list[Answer | None]
        try:
            answers = await self._warehouse.run(work, request_id)
        except BaseException as error:  # noqa: BLE001 - its askers are told
            self._close(batch)
            is_for_all = isinstance(error, WarehouseBusyError | WarehouseDownError)
            if is_for_all or len(batch.waiting) == 1 or not isinstance(error, Exception):
                for _, future in batch.waiting:
                    _fail(future, error)
                return
            # One of them may be at fault, and must not fail the others.
            answers = [None] * len(batch.waiting)
        for (question, future), answer in zip(batch.waiting, answers, strict=True):
            if future.done():
                continue
            if answer is None:
                self._start(self._answer_alone(question, future, request_id))
            else:
                future.set_result(answer)

    def _close(self, batch: _Batch) -> None:
        with self._lock:
            if self._open.get(batch.family) is batch:
                del self._open[batch.family]

    async def _answer_alone(
        self, question: Question, future: asyncio.Future[Answer], request_id: str
    ) -> None:
        try:
            answer = await self._alone(question, request_id)
        except BaseException as error:  # noqa: BLE001 - its askers are told
            _fail(future, error)
            return
        if not future.done():
            future.set_result(answer)

    async def _alone(self, question: Question, request_id: str) -> Answer:
        return await self._warehouse.run(lambda client: ask(client, question), request_id)


def _fail(future: asyncio.Future[Answer], error: BaseException) -> None:
    if future.done():
        return
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    else:
        future.set_exception(error)
