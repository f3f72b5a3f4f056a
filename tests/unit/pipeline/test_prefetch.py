"""Prefetching stages: their order, their errors, and their end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest

from social_assets.pipeline.prefetch import prefetch

WAIT_SECONDS = 10.0


class BrokenStageError(RuntimeError):
    """The error that a stage raises here."""


def test_items_come_in_order_and_all_of_them() -> None:
    with prefetch(iter(range(100))) as first, prefetch(n * 2 for n in first) as second:
        assert list(second) == list(range(0, 200, 2))


def test_the_next_item_is_made_while_one_is_used() -> None:
    second_made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second_made.set()
        yield 2

    with prefetch(items()) as made:
        assert next(made) == 1
        assert second_made.wait(WAIT_SECONDS)
        assert list(made) == [2]


def test_an_error_is_raised_where_the_items_are_taken_after_those_made_before() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise BrokenStageError

    with prefetch(items()) as first, prefetch(n + 1 for n in first) as second:
        assert next(second) == 2
        with pytest.raises(BrokenStageError):
            next(second)


def test_a_stage_that_nobody_takes_from_any_more_stops() -> None:
    made = []

    def endless() -> Iterator[int]:
        for number in count(1):
            made.append(number)
            yield number

    threads = threading.active_count()
    with prefetch(endless()) as first, prefetch(iter(first)) as second:
        assert next(second) == 1
    assert threading.active_count() == threads
    assert len(made) < 10


def test_an_error_of_the_last_stage_ends_stages_that_wait_for_more() -> None:
    """The first stage yields no more items for a long time."""
    over = threading.Event()

    def quiet() -> Iterator[int]:
        yield 1
        over.wait(WAIT_SECONDS)

    started = time.monotonic()
    with (
        pytest.raises(BrokenStageError),
        prefetch(quiet(), over) as first,
        prefetch(iter(first), over) as second,
    ):
        next(second)
        raise BrokenStageError
    assert time.monotonic() - started < WAIT_SECONDS / 2
