"""The moments of a metric over the units of a variant: all that the statistics read.

Belongs here: means and covariances from sums. The sums come from ClickHouse, one row a variant and
day, so that no statistic reads a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from tea_tasting.aggr import Aggregates

VALUE, BASE, EARLIER, EARLIER_BASE = "value", "base", "earlier", "earlier_base"
"""What is known of a unit: the metric or its numerator, its denominator, and both from the time
before the first exposure."""


@dataclass(frozen=True)
class Moments:
    """Number of units, and means and covariances of what `columns` names."""

    columns: tuple[str, ...]
    units: int
    means: npt.NDArray[np.float64]
    covariances: npt.NDArray[np.float64]

    @classmethod
    def of_sums(
        cls, columns: Sequence[str], units: int, sums: Sequence[float], products: Sequence[float]
    ) -> Moments:
        """From sums of the columns, and of the products of each pair of them.

        Pairs come in the order of `pairs_of`. With fewer than two units nothing varies.
        """
        import numpy as np

        size = len(columns)
        means = np.asarray(sums, dtype=np.float64) / max(units, 1)
        covariances = np.zeros((size, size))
        for (one, other), product in zip(pairs_of(size), products, strict=True):
            covariance = (product - units * means[one] * means[other]) / max(units - 1, 1)
            covariances[one, other] = covariances[other, one] = covariance
        # Of equal values, the difference of two large sums may fall below zero.
        np.fill_diagonal(covariances, np.maximum(np.diag(covariances), 0.0))
        return cls(tuple(columns), units, means, covariances)

    @property
    def is_ratio(self) -> bool:
        """Whether the metric divides one sum by another."""
        return BASE in self.columns

    @property
    def has_earlier(self) -> bool:
        """Whether the time before the first exposure is known."""
        return EARLIER in self.columns

    @property
    def varies(self) -> bool:
        """Whether units differ in the metric."""
        places = [n for n, name in enumerate(self.columns) if name in (VALUE, BASE)]
        return any(self.covariances[n, n] > 0 for n in places)

    def aggregates(self) -> Aggregates:
        """The same as tea-tasting takes it."""
        from tea_tasting.aggr import Aggregates

        at = {name: place for place, name in enumerate(self.columns)}
        return Aggregates(
            count_=self.units,
            mean_={name: float(self.means[place]) for name, place in at.items()},
            var_={name: float(self.covariances[place, place]) for name, place in at.items()},
            cov_={
                (self.columns[one], self.columns[other]): float(self.covariances[one, other])
                for one, other in pairs_of(len(self.columns))
                if one != other
            },
        )


def pairs_of(size: int) -> list[tuple[int, int]]:
    """The pairs of columns whose products are summed, each with itself too."""
    return [(one, other) for one in range(size) for other in range(one, size)]
