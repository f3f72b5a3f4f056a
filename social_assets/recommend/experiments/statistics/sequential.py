"""Intervals that hold at every look: a reader may look each day and stop when it is decided.

Belongs here: the boundary. It is that of the mixture sequential probability ratio test with a
normal mixture (Robbins 1970; Johari, Pekelis, Walsh 2015), which for estimated variances is an
asymptotic confidence sequence (Waudby-Smith et al. 2021): it holds from some hundred units of each
variant on. tea-tasting has no sequential intervals.

The mixture is chosen so that the interval is tightest at the planned number of units. It depends on
the numbers of units alone, so nothing is tuned by what was seen.
"""

from __future__ import annotations

import math


def information(units: float, planned: float, alpha: float) -> float:
    """The variance of the mixture by that of the estimate, which grows with the units."""
    tightest = -2 * math.log(alpha) + math.log1p(-2 * math.log(alpha))
    return tightest * units / planned


def multiplier(units: float, planned: float, alpha: float) -> float:
    """How many standard errors the interval reaches to each side; infinite without units.

    An interval for one look would reach 1.96 of them at an alpha of 5 %.
    """
    if units <= 0:
        return math.inf
    known = information(units, planned, alpha)
    return math.sqrt((known + 1) / known * (math.log1p(known) - 2 * math.log(alpha)))


def sequential_p_value(statistic: float, units: float, planned: float, alpha: float) -> float:
    """The least alpha at which the interval of this mixture leaves out zero; 1 without units.

    `alpha` chooses the mixture.
    """
    if units <= 0 or not math.isfinite(statistic):
        return 1.0
    known = information(units, planned, alpha)
    exponent = statistic * statistic / 2 * known / (known + 1)
    return min(1.0, math.exp(min(0.0, math.log1p(known) / 2 - exponent)))
