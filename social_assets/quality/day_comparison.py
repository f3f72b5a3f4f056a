"""Compares the two sides of an invariant on single days.

Belongs here: the comparison, and the repetition with locked streams. Work in progress looks like a
loss: a drain lands the next rows while it cleans the last ones. So days that differ are compared
again while the locks of their streams are held, and only what differs then is a failure. Days that
retention has removed from a table of the invariant are left out. How the results are reported to
Dagster belongs to `defs/monitoring/invariant_results`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

from social_assets.contracts.registry import contract
from social_assets.pipeline.stores import Stores
from social_assets.quality.invariants import Figures, Invariant, Sides

TOLERANCE = 1e-9
"""Relative, for sums of Float64: sums in another order differ in the last digits."""


@dataclass(frozen=True)
class DayComparison:
    """Both sides of an invariant on one day."""

    invariant: Invariant
    day: date
    one: Figures
    other: Figures

    @property
    def passed(self) -> bool:
        """Whether both sides agree."""
        return all(agree(a, b) for a, b in zip(self.one, self.other, strict=True))

    @property
    def description(self) -> str:
        """The figures of both sides."""
        (left, right), measures = self.invariant.sides, self.invariant.measures
        return "; ".join(
            f"{measure}: {left} {a:.15g}, {right} {b:.15g}"
            for measure, a, b in zip(measures, self.one, self.other, strict=True)
        )


def agree(one: float, other: float) -> bool:
    """Whether two figures are equal; a sum that overflows is infinite or NaN on both sides."""
    both_nan = math.isnan(one) and math.isnan(other)
    return both_nan or math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def compare_days(
    invariant: Invariant, stores: Stores, days: Sequence[date] | None, comment: str = "conservation"
) -> list[DayComparison]:
    """Compare both sides of some days, or of all days that a side has, oldest first."""
    expired = expired_days(invariant, stores)
    comparisons = _comparisons(invariant, invariant.figures(stores, days, comment), days, expired)
    differing = [each.day for each in comparisons if not each.passed]
    if not differing:
        return comparisons
    with ExitStack() as locks:
        for stream in sorted(invariant.streams):
            locks.enter_context(stores.of(contract(stream)).lock())
        again = _comparisons(
            invariant, invariant.figures(stores, differing, comment), differing, expired
        )
    again_by_day = {each.day: each for each in again}
    return [again_by_day.get(each.day, each) for each in comparisons]


def expired_days(invariant: Invariant, stores: Stores) -> set[date]:
    """The days that retention has removed from a table of the invariant."""
    return stores.lake.expired_days().days(*(table.to_user_string() for table in invariant.tables))


def _comparisons(
    invariant: Invariant, sides: Sides, days: Sequence[date] | None, expired: set[date]
) -> list[DayComparison]:
    nothing = (0.0,) * len(invariant.measures)
    asked = {*sides.one, *sides.other} if days is None else set(days)
    return [
        DayComparison(invariant, day, sides.one.get(day, nothing), sides.other.get(day, nothing))
        for day in sorted(asked - expired)
    ]
