"""What the statistics promise, by simulation: 2,000 experiments of each kind.

The one-look figures come from `compare`, as the analysis calls it. Looks over time are computed by
NumPy from the same boundary, and one test shows that both agree.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from social_assets.recommend.experiments.statistics.comparison import (
    Looks,
    VariantComparison,
    compare,
)
from social_assets.recommend.experiments.statistics.moments import (
    BASE,
    EARLIER,
    EARLIER_BASE,
    VALUE,
    Moments,
)
from social_assets.recommend.experiments.statistics.power import units_needed
from social_assets.recommend.experiments.statistics.sequential import multiplier

RUNS = 2_000
ALPHA = 0.05
Floats = npt.NDArray[np.float64]


class Drawn(NamedTuple):
    """Runs x units: what each unit did after its exposure, and before it."""

    value: Floats
    earlier: Floats


def drawn(seed: int, units: int, gain: float = 0.0, runs: int = RUNS) -> Drawn:
    """Counts of users with habits: skewed, and more alike over time than chance.

    Their mean is 3, their variance 9. A gain is the same for all, so that it adds no variance: the
    formula of the needed units takes both variants to have one.
    """
    draws = np.random.default_rng(seed)
    habit = draws.gamma(1.5, 2.0, (runs, units))
    earlier = draws.poisson(habit).astype(np.float64)
    return Drawn(draws.poisson(habit) + gain, earlier)


def moments(columns: tuple[str, ...], *values: Floats) -> Moments:
    stacked = np.stack(values)
    return Moments(columns, stacked.shape[1], stacked.mean(axis=1), np.atleast_2d(np.cov(stacked)))


def one(control: Moments, treatment: Moments) -> VariantComparison:
    found = compare(control, treatment, Looks(control.units + treatment.units, ALPHA))
    assert found is not None
    return found


@cache
def means_of_aa_runs(with_earlier: bool) -> tuple[VariantComparison, ...]:
    control, treatment = drawn(1, 400), drawn(2, 400)
    columns = (VALUE, EARLIER) if with_earlier else (VALUE,)
    return tuple(
        one(
            moments(columns, *(each[run] for each in control[: len(columns)])),
            moments(columns, *(each[run] for each in treatment[: len(columns)])),
        )
        for run in range(RUNS)
    )


@pytest.mark.parametrize("with_earlier", [False, True], ids=["plain", "CUPED"])
def test_one_of_twenty_aa_experiments_is_significant(with_earlier: bool) -> None:
    found = means_of_aa_runs(with_earlier)
    rate = np.mean([each.p_value < ALPHA for each in found])
    assert 0.04 <= rate <= 0.06
    left_out = np.mean([not each.one_look.low <= 0 <= each.one_look.high for each in found])
    assert left_out == rate


def test_cuped_removes_the_variance_that_habit_explains() -> None:
    plain, adjusted = means_of_aa_runs(False), means_of_aa_runs(True)
    spread = np.std([each.difference for each in adjusted]) ** 2
    removed = 1 - spread / np.std([each.difference for each in plain]) ** 2
    told = np.mean([each.variance_removed for each in adjusted])
    # The habit explains two thirds of a value, so its square of earlier ones: 4/9.
    assert removed == pytest.approx(4 / 9, abs=0.05)
    assert told == pytest.approx(4 / 9, abs=0.03)


@cache
def significant_ratios() -> tuple[bool, ...]:
    """Of each A/A run on clicks by views, with CUPED: whether it is significant."""
    sides: list[list[Moments]] = []
    for seed in (3, 4):
        draws = np.random.default_rng(seed)
        taste = draws.beta(2, 6, (RUNS, 500))
        shown, before = (draws.poisson(5.0, (RUNS, 500)) + 1 for _ in range(2))
        clicks, clicks_before = draws.binomial(shown, taste), draws.binomial(before, taste)
        columns = (VALUE, BASE, EARLIER, EARLIER_BASE)
        sides.append(
            [
                moments(
                    columns,
                    *(v[run].astype(np.float64) for v in (clicks, shown, clicks_before, before)),
                )
                for run in range(RUNS)
            ]
        )
    return tuple(one(a, b).p_value < ALPHA for a, b in zip(*sides, strict=True))


def test_one_of_twenty_aa_experiments_on_a_ratio_is_significant() -> None:
    assert 0.04 <= np.mean(significant_ratios()) <= 0.06


def test_a_planned_number_of_units_finds_the_lift_four_times_of_five() -> None:
    sizing = units_needed(3.0, 3.0, 0.25)
    half = sizing.one_look // 2
    control, treatment = drawn(5, half), drawn(6, half, gain=0.75)
    found = [
        one(moments((VALUE,), control.value[run]), moments((VALUE,), treatment.value[run]))
        for run in range(RUNS)
    ]
    assert np.mean([each.p_value < ALPHA for each in found]) == pytest.approx(0.8, abs=0.03)


class Peeked(NamedTuple):
    """Runs x looks: how many standard errors the difference is from zero, and the looks' units."""

    statistics: Floats
    units: list[int]


@cache
def peeked(gain: float, units: int, looks: int) -> Peeked:
    control, treatment = drawn(7, units).value, drawn(8, units, gain).value
    at = [int(each) for each in np.linspace(100, units, looks)]
    statistics = np.empty((RUNS, looks))
    for look, size in enumerate(at):
        sides = [values[:, :size] for values in (treatment, control)]
        error = np.sqrt(sum(each.var(axis=1, ddof=1) / size for each in sides))
        statistics[:, look] = (sides[0].mean(axis=1) - sides[1].mean(axis=1)) / error
    return Peeked(statistics, [2 * size for size in at])


def decided(found: Peeked, reaches: list[float]) -> float:
    """The share of runs of which some look leaves out zero."""
    return float((np.abs(found.statistics) > np.array(reaches)).any(axis=1).mean())


def test_looking_thirty_times_decides_falsely_at_most_as_often_as_once() -> None:
    found = peeked(0.0, 1_500, 30)
    planned = found.units[-1]
    always = decided(found, [multiplier(units, planned, ALPHA) for units in found.units])
    assert 0.005 < always <= 0.06
    # Who reads the interval for one look at each of them is wrong several times as often.
    assert decided(found, [1.96] * len(found.units)) > 0.2


@pytest.mark.parametrize("planned", [300, 3_000, 30_000])
def test_a_wrong_plan_costs_width_and_no_error(planned: int) -> None:
    found = peeked(0.0, 1_500, 30)
    assert decided(found, [multiplier(units, planned, ALPHA) for units in found.units]) <= 0.06


def test_the_planned_units_find_the_lift_at_some_look() -> None:
    sizing = units_needed(3.0, 3.0, 0.15)
    found = peeked(0.45, sizing.every_look // 2, 30)
    reaches = [multiplier(units, sizing.every_look, ALPHA) for units in found.units]
    at_the_end = float((np.abs(found.statistics[:, -1]) > reaches[-1]).mean())
    assert at_the_end == pytest.approx(0.8, abs=0.03)
    assert decided(found, reaches) >= at_the_end


def test_the_interval_of_the_analysis_is_that_of_the_simulation() -> None:
    control, treatment = drawn(9, 600, runs=1).value[0], drawn(10, 600, runs=1).value[0]
    found = compare(moments((VALUE,), control), moments((VALUE,), treatment), Looks(5_000, ALPHA))
    assert found is not None
    error = np.sqrt(control.var(ddof=1) / 600 + treatment.var(ddof=1) / 600)
    reach = multiplier(1_200, 5_000, ALPHA)
    difference = treatment.mean() - control.mean()
    assert found.difference == pytest.approx(difference)
    assert found.always.low == pytest.approx(difference - reach * error)
    assert found.always.high == pytest.approx(difference + reach * error)
