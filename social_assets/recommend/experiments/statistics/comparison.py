"""A treatment beside the control: means, difference, lift, and their intervals.

Belongs here: one comparison. Means, CUPED and the delta method for ratios are tea-tasting's (Deng
et al. 2013 and 2018); the intervals that hold at every look are of `sequential`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from social_assets.recommend.experiments.statistics.moments import (
    BASE,
    EARLIER,
    EARLIER_BASE,
    VALUE,
    Moments,
)
from social_assets.recommend.experiments.statistics.sequential import (
    multiplier,
    sequential_p_value,
)

if TYPE_CHECKING:
    from tea_tasting.metrics.mean import MeanResult

_LEVEL = 0.95
_REACH = NormalDist().inv_cdf((1 + _LEVEL) / 2)
"""Standard errors from an estimate to the end of its interval for one look."""


@dataclass(frozen=True)
class EffectInterval:
    """A lower and an upper bound."""

    low: float
    high: float

    def is_above(self, value: float) -> bool:
        """Whether all of it is above a value."""
        return self.low > value

    def is_below(self, value: float) -> bool:
        """Whether all of it is below a value."""
        return self.high < value


@dataclass(frozen=True)
class VariantComparison:
    """What is known of a metric in a treatment and in the control.

    Relative figures are None if one of the means is not above zero.
    """

    units: int
    control_units: int
    mean: float
    control_mean: float
    difference: float
    standard_error: float
    one_look: EffectInterval
    """The 95 % interval of the difference for somebody who looks once."""
    always: EffectInterval
    """The interval of the difference that holds at every look."""
    p_value: float
    """For one look."""
    sequential_p_value: float
    """For any number of looks."""
    variance_removed: float
    """The part of the variance that the time before the exposure explains."""
    lift: float | None = None
    lift_always: EffectInterval | None = None


@dataclass(frozen=True)
class Looks:
    """What intervals that hold at every look need: the planned units and the accepted error."""

    planned_units: float
    alpha: float


def compare(control: Moments, treatment: Moments, looks: Looks) -> VariantComparison | None:
    """Compare two variants; None if there are too few units to have a variance, or nothing varies.

    The variance is reduced by the time before the exposure where it is known.
    """
    if min(control.units, treatment.units) < 2 or not _can_divide(control, treatment, BASE):
        return None
    if not (control.varies or treatment.varies):
        return None
    plain = _analyzed(control, treatment, with_earlier=False)
    adjusts = _varies_earlier(control, treatment)
    found = _analyzed(control, treatment, with_earlier=True) if adjusts else plain
    difference, error = float(found.effect_size), _standard_error(found)
    if not math.isfinite(error) or error <= 0:
        return None
    units = control.units + treatment.units
    reach = multiplier(units, looks.planned_units, looks.alpha)
    lift, lift_always = _relative(found, reach)
    return VariantComparison(
        units=treatment.units,
        control_units=control.units,
        mean=float(found.treatment),
        control_mean=float(found.control),
        difference=difference,
        standard_error=error,
        one_look=EffectInterval(
            float(found.effect_size_ci_lower), float(found.effect_size_ci_upper)
        ),
        always=EffectInterval(difference - reach * error, difference + reach * error),
        p_value=float(found.pvalue),
        sequential_p_value=sequential_p_value(
            difference / error, units, looks.planned_units, looks.alpha
        ),
        variance_removed=max(0.0, 1 - (error / _standard_error(plain)) ** 2),
        lift=lift,
        lift_always=lift_always,
    )


def _analyzed(control: Moments, treatment: Moments, *, with_earlier: bool) -> MeanResult:
    from tea_tasting.metrics import RatioOfMeans

    metric = RatioOfMeans(
        numer=VALUE,
        denom=BASE if control.is_ratio else None,
        numer_covariate=EARLIER if with_earlier else None,
        denom_covariate=EARLIER_BASE if with_earlier and control.is_ratio else None,
        confidence_level=_LEVEL,
        use_t=False,
    )
    return metric.analyze_aggregates(control.aggregates(), treatment.aggregates())


def _standard_error(found: MeanResult) -> float:
    return float(found.effect_size_ci_upper - found.effect_size) / _REACH


def _relative(found: MeanResult, reach: float) -> tuple[float | None, EffectInterval | None]:
    """The lift, and its interval on the scale of logarithms, which no bound below -100 % leaves."""
    if not (found.control > 0 and found.treatment > 0):
        return None, None
    ratio = 1 + float(found.rel_effect_size)
    error = math.log((1 + float(found.rel_effect_size_ci_upper)) / ratio) / _REACH
    factor = math.exp(min(reach * error, 700.0))
    return ratio - 1, EffectInterval(ratio / factor - 1, ratio * factor - 1)


def _varies_earlier(control: Moments, treatment: Moments) -> bool:
    """Whether the time before the exposure can reduce the variance."""
    if not control.has_earlier or not _can_divide(control, treatment, EARLIER_BASE):
        return False
    at = control.columns.index(EARLIER)
    return bool(min(each.covariances[at, at] for each in (control, treatment)) > 0)


def _can_divide(control: Moments, treatment: Moments, column: str) -> bool:
    """Whether the sums of a divisor are above zero in both variants, if there is a divisor."""
    if column not in control.columns:
        return True
    at = control.columns.index(column)
    return bool(min(control.means[at], treatment.means[at]) > 0)
