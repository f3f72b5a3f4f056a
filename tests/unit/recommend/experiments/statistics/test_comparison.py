"""One comparison: means, lifts, adjustment, and what has no value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_assets.recommend.experiments.statistics.adjustment import adjusted_p_values
from social_assets.recommend.experiments.statistics.comparison import Looks, compare
from social_assets.recommend.experiments.statistics.moments import (
    BASE,
    EARLIER,
    EARLIER_BASE,
    VALUE,
    Moments,
    pairs_of,
)
from social_assets.recommend.experiments.statistics.power import units_needed
from social_assets.recommend.experiments.statistics.sample_ratio import sample_ratio_p_value

LOOKS = Looks(1_000, 0.05)


def of_rows(columns: tuple[str, ...], rows: np.ndarray) -> Moments:
    """The moments as the warehouse gives them: sums, and sums of products."""
    products = [float((rows[a] * rows[b]).sum()) for a, b in pairs_of(len(columns))]
    return Moments.of_sums(columns, rows.shape[1], [float(v.sum()) for v in rows], products)


def drawn(columns: tuple[str, ...], units: int, seed: int, shift: float = 0.0) -> Moments:
    draws = np.random.default_rng(seed)
    return of_rows(columns, draws.gamma(2.0, 1.0, (len(columns), units)) + shift)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=60))
def test_moments_of_sums_are_those_of_the_units(rows: list[tuple[int, int]]) -> None:
    values = np.array(rows, dtype=np.float64).T
    found = of_rows((VALUE, EARLIER), values)
    assert found.means == pytest.approx(values.mean(axis=1))
    assert found.covariances == pytest.approx(np.cov(values), abs=1e-9)


def test_nothing_is_compared_without_units_or_without_a_difference_between_units() -> None:
    some = drawn((VALUE,), 50, 1)
    for units in (0, 1):
        few = Moments.of_sums((VALUE,), units, [3.0 * units], [9.0 * units])
        assert compare(some, few, LOOKS) is None
    alike = of_rows((VALUE,), np.full((1, 20), 2.0))
    assert compare(alike, alike, LOOKS) is None


def test_a_mean_of_zero_has_a_difference_and_no_lift() -> None:
    nothing = of_rows((VALUE,), np.zeros((1, 40)))
    found = compare(nothing, drawn((VALUE,), 40, 2), LOOKS)
    assert found is not None
    assert found.difference > 0
    assert found.lift is None and found.lift_always is None


def test_values_below_zero_have_a_difference_and_no_lift() -> None:
    found = compare(drawn((VALUE,), 90, 1, -9.0), drawn((VALUE,), 90, 2, -9.0), LOOKS)
    assert found is not None and found.lift is None


def test_a_ratio_whose_divisor_is_zero_is_not_compared() -> None:
    columns = (VALUE, BASE)
    nothing = of_rows(columns, np.zeros((2, 30)))
    assert compare(nothing, drawn(columns, 30, 3), LOOKS) is None


def test_a_ratio_without_earlier_rows_is_compared_without_them() -> None:
    columns = (VALUE, BASE, EARLIER, EARLIER_BASE)
    sides = []
    for seed in (4, 5):
        rows = np.random.default_rng(seed).gamma(2.0, 1.0, (4, 200))
        rows[2:] = 0
        sides.append(of_rows(columns, rows))
    found = compare(*sides, LOOKS)
    assert found is not None
    assert found.variance_removed == 0


def test_the_lift_lies_within_its_interval_and_never_below_minus_all() -> None:
    found = compare(drawn((VALUE,), 12, 6, 5.0), drawn((VALUE,), 12, 7), LOOKS)
    assert found is not None and found.lift is not None and found.lift_always is not None
    assert -1 <= found.lift_always.low < found.lift < found.lift_always.high


def test_adjusted_p_values_are_those_of_holm() -> None:
    found = adjusted_p_values({("likes", "b"): 0.01, ("likes", "c"): 0.04, ("clicks", "b"): 0.03})
    assert found == pytest.approx(
        {("likes", "b"): 0.03, ("likes", "c"): 0.06, ("clicks", "b"): 0.06}
    )
    assert adjusted_p_values({}) == {}


@pytest.mark.parametrize(
    ("units", "weights", "is_mismatch"),
    [
        ([5_000, 5_050], [1, 1], False),
        ([5_000, 5_500], [1, 1], True),
        ([2_000, 1_000, 990], [2, 1, 1], False),
        ([2_000, 1_000, 800], [2, 1, 1], True),
        ([0, 0], [1, 1], False),
        ([30, 0], [1, 1], True),
    ],
)
def test_a_sample_ratio_mismatch_is_what_chance_does_not_explain(
    units: list[int], weights: list[float], is_mismatch: bool
) -> None:
    assert (sample_ratio_p_value(units, weights) < 0.001) == is_mismatch


def test_more_power_smaller_lifts_and_many_looks_need_more_units() -> None:
    base = units_needed(3.0, 3.0, 0.1)
    # 2 x 2 x (1.96 + 0.8416)^2 x variance / difference^2
    assert base.one_look == pytest.approx(4 * (1.96 + 0.8416) ** 2 * 9 / 0.09, rel=0.01)
    assert base.every_look > base.one_look
    assert units_needed(3.0, 3.0, 0.05).one_look == pytest.approx(4 * base.one_look, rel=0.01)
    assert units_needed(3.0, 3.0, 0.1, power=0.9).one_look > base.one_look
    assert units_needed(3.0, 3.0, -0.1) == base


@pytest.mark.parametrize(
    ("mean", "deviation", "lift", "alpha", "power"),
    [
        (0, 1, 0.1, 0.05, 0.8),
        (1, 0, 0.1, 0.05, 0.8),
        (1, 1, 0, 0.05, 0.8),
        (1, 1, 0.1, 0.05, 0.01),
        (float("nan"), 1, 0.1, 0.05, 0.8),
    ],
)
def test_what_can_not_be_sized_is_refused(
    mean: float, deviation: float, lift: float, alpha: float, power: float
) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        units_needed(mean, deviation, lift, alpha=alpha, power=power)
