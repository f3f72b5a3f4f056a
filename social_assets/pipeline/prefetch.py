"""Runs one stage of a pipeline ahead of the next, in a thread of its own.

Here belongs the threading alone. Stages are iterators over micro-batches; while one batch is
inserted, the next is committed, the one after judged and the one after that read: DuckDB, Delta,
ClickHouse's client and librdkafka all leave the interpreter to the others while they work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Semaphore, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_UP_SECONDS = 0.1
"""How soon a stage notices that nobody wants its items any more."""


@dataclass(frozen=True)
class _End(Generic[T]):
    """A stage has ended, well or with an error."""

    error: BaseException | None = None


@contextmanager
def ahead(items: Iterator[T], over: Event | None = None) -> Iterator[Iterator[T]]:
    """The items, of which the next is made while one is used; an error of theirs is raised here.

    One at most is made in advance, so that as many are in memory as there are stages.

    When the block ends, the stage has ended too: it is stopped after the item it is at. Stages that
    share `over` end together, so that none waits for another that has nothing more to come.
    """
    made: Queue[T | _End[T]] = Queue(maxsize=1)
    wanted = Semaphore(0)
    abandoned = over or Event()
    thread = Thread(target=_make, args=(items, made, wanted, abandoned), name="ahead", daemon=True)
    thread.start()
    try:
        yield _taken(made, wanted, abandoned)
    finally:
        abandoned.set()
        while thread.is_alive():
            _drop_one(made)
            thread.join(_LOOK_UP_SECONDS)


def _make(
    items: Iterator[T], made: Queue[T | _End[T]], wanted: Semaphore, abandoned: Event
) -> None:
    try:
        for item in items:
            if not (_put(made, item, abandoned) and _is_taken(wanted, abandoned)):
                return
        _put(made, _End(), abandoned)
    except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
        _put(made, _End(error), abandoned)


def _put(made: Queue[T | _End[T]], item: T | _End[T], abandoned: Event) -> bool:
    while not abandoned.is_set():
        try:
            made.put(item, timeout=_LOOK_UP_SECONDS)
        except Full:
            continue
        return True
    return False


def _is_taken(wanted: Semaphore, abandoned: Event) -> bool:
    """Wait until the item made last is taken; false if nobody will."""
    while not abandoned.is_set():
        if wanted.acquire(timeout=_LOOK_UP_SECONDS):
            return True
    return False


def _taken(made: Queue[T | _End[T]], wanted: Semaphore, abandoned: Event) -> Iterator[T]:
    while True:
        try:
            item = made.get(timeout=_LOOK_UP_SECONDS)
        except Empty:
            if abandoned.is_set():
                return
            continue
        if isinstance(item, _End):
            if item.error is not None:
                raise item.error
            return
        wanted.release()
        yield item


def _drop_one(made: Queue[T | _End[T]]) -> None:
    try:
        made.get_nowait()
    except Empty:
        return
