"""What a row of an answer says of the period before."""

from __future__ import annotations

import pytest

from social_assets.metrics.answer import Row


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [(3, 2, 0.5), (1, 2, -0.5), (-0.25, -0.5, 0.5), (-0.75, -0.5, -0.5), (0.5, -0.5, 2.0)],
)
def test_a_value_that_rose_has_a_change_above_zero(
    now: float, before: float, change: float
) -> None:
    assert Row(None, (), (now,), (before,)).changes() == (pytest.approx(change),)


def test_a_change_from_nothing_is_unknown() -> None:
    assert Row(None, (), (1, None, 1), (0, 1, None)).changes() == (None, None, None)
