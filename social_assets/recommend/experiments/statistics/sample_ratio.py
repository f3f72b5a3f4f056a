"""Sample-ratio mismatch: whether the variants have the parts of units that were declared.

Belongs here: the test. tea-tasting has it for two variants; chi-square takes any number. A mismatch
means that units were lost or logged wrongly, and then no difference can be trusted (Fabijan et al.
2019).
"""

from __future__ import annotations

from collections.abc import Sequence

MISMATCH_BELOW = 0.001
"""Smaller p-values are a mismatch: it is looked at each day, and real ones are far below."""


def sample_ratio_p_value(units: Sequence[int], weights: Sequence[float]) -> float:
    """The p-value of the units of each variant under the declared weights; 1 without units."""
    from scipy.stats import chisquare

    total = sum(units)
    if not total:
        return 1.0
    whole = sum(weights)
    expected = [total * weight / whole for weight in weights]
    return float(chisquare(units, expected).pvalue)
