"""Runs each stage of a pipeline in its own thread, one item ahead of the next stage.

Belongs here: only the threading. Stages are iterators over micro-batches. While one batch is
inserted, the next one is committed, the third validated and the fourth read. This works in parallel
because DuckDB, Delta, ClickHouse's client and librdkafka release the interpreter's lock.
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
"""How soon a stage notices that its items are no longer needed."""


@dataclass(frozen=True)
class _End(Generic[T]):
    """The end of a stage: without an error, or with one."""

    error: BaseException | None = None


@contextmanager
def prefetch(items: Iterator[T], over: Event | None = None) -> Iterator[Iterator[T]]:
    """The same items; a thread makes the next one while the caller uses the current one.

    At most one item is made in advance, so there are as many items in memory as stages. An error of
    the iterator is raised in the caller. When the block ends, the thread stops after its current
    item. Stages that share `over` end together, so that none waits for a stage that has ended.
    """
    made: Queue[T | _End[T]] = Queue(maxsize=1)
    wanted = Semaphore(0)
    abandoned = over or Event()
    thread = Thread(
        target=_make, args=(items, made, wanted, abandoned), name="prefetch", daemon=True
    )
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
    """Wait until the last item is taken; false if the stage is abandoned."""
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
