"""How far partitions are read: each record once, none beyond the end, holes jumped."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from social_assets.sources.kafka_positions import Positions


def at(**offsets: int) -> Positions:
    positions = Positions()
    for partition, offset in offsets.items():
        positions.jump(int(partition[1:]), offset)
    return positions


def advance(
    positions: Positions, messages: list[tuple[int, int]], ends: dict[int, int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    partitions = np.array([p for p, _ in messages], np.int32)
    offsets = np.array([o for _, o in messages], np.int64)
    inside, beyond = positions.advance(partitions, offsets, ends)
    return (
        [m for m, is_in in zip(messages, inside, strict=True) if is_in],
        [m for m, is_out in zip(messages, beyond, strict=True) if is_out],
    )


def test_a_record_inside_moves_on_to_the_offset_behind_it() -> None:
    positions = at(p0=5, p3=0)
    inside, beyond = advance(positions, [(0, 5), (3, 0), (0, 6)], {0: 10, 3: 10})
    assert inside == [(0, 5), (3, 0), (0, 6)]
    assert beyond == []
    assert positions.offsets() == {0: 7, 3: 1}
    assert positions.remaining({0: 10, 3: 10}) == 12


def test_a_record_beyond_the_end_shows_that_all_before_the_end_is_read() -> None:
    positions = at(p0=0)
    inside, beyond = advance(positions, [(0, 2), (0, 9)], {0: 7})
    assert (inside, beyond) == ([(0, 2)], [(0, 9)])
    assert positions.offsets() == {0: 7}


def test_a_record_that_was_there_already_is_neither_inside_nor_beyond() -> None:
    positions = at(p0=5)
    assert advance(positions, [(0, 3), (0, 4), (0, 5)], {0: 10}) == ([(0, 5)], [])


def test_records_of_a_partition_that_nobody_asks_for_wait() -> None:
    positions = at(p0=0, p1=0)
    assert advance(positions, [(1, 0), (0, 0)], {0: 1}) == ([(0, 0)], [(1, 0)])
    assert positions.offsets() == {0: 1, 1: 0}


def test_an_end_that_lies_behind_takes_nothing_back() -> None:
    positions = at(p0=50)
    assert positions.remaining({0: 20}) == 0
    assert advance(positions, [(0, 50)], {0: 20}) == ([], [(0, 50)])
    assert positions.offsets() == {0: 50}


def test_the_last_offset_there_is_may_lie_behind_records_that_do_not_count() -> None:
    positions = at(p0=5, p1=0)
    positions.reach_last(0, 9)
    assert positions.offsets() == {0: 9, 1: 0}
    assert positions.are_at_last({0: 12})
    assert not positions.are_at_last({0: 12, 1: 1})
    assert positions.are_at_last({0: 12, 1: 0})
    advance(positions, [(0, 9)], {0: 12})
    assert not positions.are_at_last({0: 12})


@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=3),
    holes=st.sets(st.integers(0, 29)),
    cuts=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=8),
    chunk=st.integers(1, 7),
)
def test_whatever_the_ends_asked_for_each_record_is_taken_once_and_in_order(
    lengths: list[int], holes: set[int], cuts: list[tuple[int, int]], chunk: int
) -> None:
    log = {p: [o for o in range(n) if o not in holes] for p, n in enumerate(lengths)}
    positions = at(**{f"p{p}": 0 for p in log})
    coming = [(p, o) for p in log for o in log[p]]
    waiting: list[tuple[int, int]] = []
    taken: list[tuple[int, int]] = []
    asked = [{p: end} for p, end in cuts if p in log] + [dict(enumerate(lengths))]
    for ends in asked:
        arrived, waiting = waiting, []
        while True:
            inside, beyond = advance(positions, arrived, ends)
            assert all(offset < ends.get(p, 0) for p, offset in inside)
            taken += inside
            waiting += beyond
            if not positions.remaining(ends) or not coming:
                break
            arrived, coming = coming[:chunk], coming[chunk:]
    assert {p: [o for q, o in taken if q == p] for p in log} == log
