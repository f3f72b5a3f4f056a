"""Positions of partitions move only forward and skip gaps."""

from __future__ import annotations

import numpy as np
import pytest

from social_assets.ingest.kafka.positions import Positions


def at(**offsets: int) -> Positions:
    positions = Positions()
    for partition, offset in offsets.items():
        positions.jump(int(partition[1:]), offset)
    return positions


def advance(positions: Positions, messages: list[tuple[int, int]]) -> None:
    positions.advance(
        np.array([p for p, _ in messages], np.int32), np.array([o for _, o in messages], np.int64)
    )


def test_a_partition_is_behind_its_last_message() -> None:
    positions = at(p0=5, p3=0)
    advance(positions, [(0, 5), (3, 0), (0, 6), (0, 9)])
    assert positions.offsets() == {0: 10, 3: 1}
    assert positions.remaining({0: 12, 3: 10}) == 11
    assert positions.remaining({0: 2}) == 0


def test_a_message_from_before_is_an_error_and_not_passed_over() -> None:
    positions = at(p0=5, p1=7)
    with pytest.raises(ValueError, match="offset 6 of partition 1 came after 6"):
        advance(positions, [(0, 5), (1, 6)])


def test_the_last_offset_there_is_may_lie_behind_what_is_no_record() -> None:
    positions = at(p0=5, p1=0)
    positions.reach_last(0, 9)
    assert positions.offsets() == {0: 9, 1: 0}
    assert positions.are_at_last({0: 12})
    assert not positions.are_at_last({0: 12, 1: 1})
    assert positions.are_at_last({0: 12, 1: 0})


def test_newer_messages_make_a_last_offset_void() -> None:
    positions = at(p0=0)
    positions.reach_last(0, 9)
    advance(positions, [(0, 9)])
    assert not positions.are_at_last({0: 12})
    advance(positions, [(0, 10), (0, 11)])
    positions.reach_last(0, 10)
    assert positions.offsets() == {0: 12}
    assert not positions.are_at_last({0: 20})


def test_a_jump_goes_forward_or_back_and_knows_no_last_offset() -> None:
    positions = at(p0=0)
    positions.reach_last(0, 9)
    positions.jump(0, 4)
    assert positions[0] == 4
    assert not positions.are_at_last({0: 12})
    advance(positions, [(0, 4)])
    assert positions[0] == 5
