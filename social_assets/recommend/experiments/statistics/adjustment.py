"""P-values of several comparisons that decide together.

Belongs here: the adjustment. Holm's procedure with Bonferroni's correction holds whatever the
metrics have to do with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")


def adjusted_p_values(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """The p-values so raised that any below alpha is false with the chance alpha, all together."""
    from tea_tasting.experiment import ExperimentResult
    from tea_tasting.multiplicity import adjust_fwer

    if not p_values:
        return {}
    results = {
        key: ExperimentResult({"metric": {"pvalue": value}}) for key, value in p_values.items()
    }
    adjusted = adjust_fwer(results, arbitrary_dependence=True, method="bonferroni")
    return {key: float(result["metric"]["pvalue_adj"]) for key, result in adjusted.items()}
