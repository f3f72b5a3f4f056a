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
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_UP_SECONDS = 0.1
"""How soon a stage notices that nobody wants its items any more."""


@dataclass(frozen=True)
class _End(Generic[T]):
    """A stage has ended, well or with an error."""

    error: BaseException | None = None


@contextmanager
def ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """The items, of which the next is made while one is used; an error of theirs is raised here.

    When the block ends, the stage has ended too: it is stopped after the item it is at.
    """
    made: Queue[T | _End[T]] = Queue(maxsize=1)
    abandoned = Event()
    thread = Thread(target=_make, args=(items, made, abandoned), name="ahead", daemon=True)
    thread.start()
    try:
        yield _taken(made)
    finally:
        abandoned.set()
        while thread.is_alive():
            _drop_one(made)
            thread.join(_LOOK_UP_SECONDS)


def _make(items: Iterator[T], made: Queue[T | _End[T]], abandoned: Event) -> None:
    try:
        for item in items:
            if not _put(made, item, abandoned):
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


def _taken(made: Queue[T | _End[T]]) -> Iterator[T]:
    while True:
        item = made.get()
        if isinstance(item, _End):
            if item.error is not None:
                raise item.error
            return
        yield item


def _drop_one(made: Queue[T | _End[T]]) -> None:
    try:
        made.get_nowait()
    except Empty:
        return
