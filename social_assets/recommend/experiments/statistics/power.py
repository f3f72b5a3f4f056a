"""How many units an experiment needs to find a lift.

Belongs here: the number for a mean and its deviation. tea-tasting gives it for one look; for an
interval that holds at every look, the boundary at the planned units takes the place of 1.96.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

from social_assets.recommend.experiments.statistics.moments import VALUE
from social_assets.recommend.experiments.statistics.sequential import multiplier


@dataclass(frozen=True)
class Sizing:
    """Units of two equal variants together that find a lift with the given power."""

    one_look: int
    every_look: int
    """For deciding by the interval that holds at every look, at the latest when so many came."""


def units_needed(
    mean: float, deviation: float, lift: float, *, alpha: float = 0.05, power: float = 0.8
) -> Sizing:
    """Size an experiment on a metric with this mean and deviation over units.

    Raises ValueError for numbers with which nothing can be found.
    """
    if not (mean > 0 and deviation > 0 and lift != 0 and 0 < alpha < 0.5 and alpha < power < 1):
        raise ValueError(
            "mean and deviation must be above 0, the lift not 0, alpha below 0.5, and the power "
            "between alpha and 1"
        )
    from tea_tasting.aggr import Aggregates
    from tea_tasting.metrics import Mean

    metric = Mean(VALUE, alpha=alpha, power=power, rel_effect_size=lift, use_t=False)
    known = Aggregates(count_=2, mean_={VALUE: mean}, var_={VALUE: deviation**2})
    one_look = metric.solve_power_from_aggregates(known, "n_obs")[0].n_obs
    normal = NormalDist()
    found = normal.inv_cdf(power)
    # The reach at the planned units is the same for each number of them.
    ratio = (multiplier(1, 1, alpha) + found) / (normal.inv_cdf(1 - alpha / 2) + found)
    return Sizing(int(one_look), ceil(one_look * ratio**2))
