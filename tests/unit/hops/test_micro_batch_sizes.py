"""How large the micro-batches of a backlog are, from its first record to its last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from social_assets.hops.topic_source import Limits, next_size


def sizes(unread: int, limits: Limits) -> list[int]:
    """Of all micro-batches of a backlog."""
    made: list[int] = []
    while unread > 0:
        made.append(next_size(made[-1] if made else 0, unread, limits))
        unread -= made[-1]
    return made


def test_a_backlog_begins_and_ends_with_small_ones() -> None:
    limits = Limits(max_records=200, least_records=25)
    assert sizes(1_000, limits) == [25, 50, 100, 200, 200, 200, 112, 56, 28, 25, 25]


@given(st.integers(0, 10_000), st.integers(1, 500), st.integers(1, 500))
def test_all_is_read_and_no_micro_batch_is_larger_than_allowed(
    unread: int, most: int, least: int
) -> None:
    made = sizes(unread, Limits(max_records=most, least_records=least))
    assert all(0 < size <= most for size in made)
    assert sum(made) >= unread
