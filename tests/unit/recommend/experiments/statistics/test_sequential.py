"""The boundary that holds at every look, by its definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_assets.recommend.experiments.statistics.sequential import (
    information,
    multiplier,
    sequential_p_value,
)

UNITS = st.integers(1, 10**7)
ALPHAS = st.floats(0.001, 0.4)


@given(units=UNITS, planned=UNITS, alpha=ALPHAS, statistic=st.floats(-20, 20))
def test_the_p_value_is_below_alpha_where_the_interval_leaves_out_zero(
    units: int, planned: int, alpha: float, statistic: float
) -> None:
    reach = multiplier(units, planned, alpha)
    if abs(abs(statistic) - reach) < 1e-9:
        return
    p_value = sequential_p_value(statistic, units, planned, alpha)
    assert (p_value < alpha) == (abs(statistic) > reach)
    assert 0 <= p_value <= 1


@given(units=UNITS, planned=UNITS)
def test_the_interval_is_wider_than_that_of_one_look(units: int, planned: int) -> None:
    assert multiplier(units, planned, 0.05) > 1.96


def test_the_interval_is_tightest_at_the_planned_units() -> None:
    """Per standard error a mixture chosen for another number of units reaches farther."""
    at_plan = multiplier(1_000, 1_000, 0.05)
    others = [multiplier(1_000, planned, 0.05) for planned in (10, 100, 500, 2_000, 10_000, 10**6)]
    assert all(at_plan < other for other in others)


def test_the_mixture_is_that_of_the_ratio_test() -> None:
    """1 / alpha is the likelihood ratio of the mixture at the end of the interval."""
    units, planned, alpha = 700, 2_000, 0.03
    variance = 1.0
    mixture = variance * information(units, planned, alpha)
    reach = multiplier(units, planned, alpha)
    ratio = math.sqrt(variance / (variance + mixture)) * math.exp(
        mixture * reach**2 / (2 * variance * (variance + mixture))
    )
    assert ratio == pytest.approx(1 / alpha)


def test_without_units_nothing_is_known() -> None:
    assert multiplier(0, 1_000, 0.05) == math.inf
    assert sequential_p_value(3.0, 0, 1_000, 0.05) == 1
    assert sequential_p_value(math.nan, 10, 1_000, 0.05) == 1
