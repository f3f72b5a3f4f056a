"""Makes the events of many requests durable together, before any of them is answered.

Belongs here: grouping, and waiting. Where events are stored belongs to `kafka_log` and
`landing_segments`. One write is under way at a time, in a thread; what arrives meanwhile is the
next group. So the cost of a sync is shared by all requests that wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from social_assets.ingest.webhooks.webhook import WebhookEvent

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
_GATHER_SECONDS = 0.005
"""How long a group waits for more: each group costs the broker a request, or the disk a sync."""


class NotDurableError(RuntimeError):
    """Events could not be stored; the sender must send them again."""


class DurableLog(Protocol):
    """Where events are stored. All methods are called from one thread."""

    def write(self, events: Sequence[WebhookEvent]) -> Mapping[int, str]:
        """Return when the events would survive a crash of the machine: the places of those that
        would not, and why. Raises nothing for a disk or a broker that fails.
        """

    def tend(self) -> None:
        """Called about once a second, for what is due by time."""

    def close(self) -> None:
        """Finish; nothing is written after that."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    events: Sequence[WebhookEvent]
    done: asyncio.Future[str | None]


class GroupCommit:
    """Stores the events of requests in a log. Used in one event loop from `start` to `close`, after
    which it may be started again.
    """

    def __init__(self, log: DurableLog) -> None:
        self._durable = log
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None
        self._is_closing = True

    def start(self) -> None:
        """Begin to take events."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-log")
        self._has_more = asyncio.Event()
        self._is_closing = False
        self._work = asyncio.get_running_loop().create_task(self._run())

    async def store(self, events: Sequence[WebhookEvent]) -> None:
        """Return when the events are durable. Raises NotDurableError if one of them is not.

        If the caller is cancelled, the events may be stored all the same.
        """
        if self._is_closing:
            raise NotDurableError("the server ends")
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(events, done))
        self._has_more.set()
        if (failure := await done) is not None:
            raise NotDurableError(failure)

    async def close(self) -> None:
        """Store what waits, and close the log."""
        if self._work is None:
            return
        self._is_closing = True
        self._has_more.set()
        await self._work
        self._work = None
        await asyncio.get_running_loop().run_in_executor(self._thread, self._durable.close)
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        tended = loop.time()
        while self._waiting or not self._is_closing:
            if loop.time() - tended >= _IDLE_SECONDS:
                await loop.run_in_executor(self._thread, self._tend)
                tended = loop.time()
            if not self._waiting:
                self._has_more.clear()
                await self._wait_for_more()
                continue
            await asyncio.sleep(_GATHER_SECONDS)
            group, self._waiting = self._waiting, []
            events = [event for each in group for event in each.events]
            failed = await loop.run_in_executor(self._thread, self._write, events)
            _resolve(group, failed)

    async def _wait_for_more(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._has_more.wait()
        except TimeoutError:
            return  # something may be due by time

    def _write(self, events: Sequence[WebhookEvent]) -> Mapping[int, str]:
        try:
            return self._durable.write(events)
        except Exception as error:  # noqa: BLE001 - nobody may be told that these are stored
            _log.exception("events could not be stored")
            return dict.fromkeys(range(len(events)), type(error).__name__)

    def _tend(self) -> None:
        try:
            self._durable.tend()
        except Exception:  # noqa: BLE001 - deliveries go on
            _log.exception("the log of events could not do what was due")


def _resolve(group: Sequence[_Waiting], failed: Mapping[int, str]) -> None:
    """Tell each request whether all of its events are stored."""
    place = 0
    for each in group:
        places = range(place, place + len(each.events))
        place = places.stop
        failure = next((failed[n] for n in places if n in failed), None) if failed else None
        if not each.done.done():
            each.done.set_result(failure)
