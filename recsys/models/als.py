"""Weighted matrix factorization for implicit feedback, by alternating least squares.

Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008);
solved by conjugate gradient after Takacs, Pilaszy, Tikk, "Applications of the Conjugate Gradient
Method for Implicit Feedback Collaborative Filtering" (RecSys 2011), in the library implicit.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.recommender import FactorRecommender
from recsys.scoring.factors import Factors, FoldIn

# Factors start below 0.01. A fit either brings them well above this value, or towards zero.
_COLLAPSED = 1e-4


class ALS(FactorRecommender):
    """Factors that minimise, over all pairs, c (p - x.y)^2 + regularization (|x|^2 + |y|^2), with
    preference p = 1 where a weight w is stored and 0 elsewhere, and confidence c = 1 + alpha w / m,
    m the mean stored weight: the unit of the weights changes nothing.

    `factors` is the width of the arrays, `iterations` the sweeps over users and items. One seed
    gives byte-identical factors whatever the number of threads (`threads`, 0 for all cores): the
    threads share no sum, and BLAS is held to one.

    The defaults suit some 10,000 interactions and more. `fit` raises ValueError for a matrix
    without interactions, or with so few that the regularization leaves no factor but zero.
    """

    name = "als"

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float = 100.0,
        alpha: float = 10.0,
        iterations: int = 15,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        if factors < 1 or iterations < 1 or regularization < 0 or alpha <= 0:
            raise ValueError(
                f"ALS needs factors and iterations >= 1, regularization >= 0 and alpha > 0, but"
                f" has {factors}, {iterations}, {regularization} and {alpha}"
            )
        self._parameters = {
            "factors": factors,
            "regularization": regularization,
            "alpha": alpha,
            "iterations": iterations,
            "seed": seed,
        }
        self._threads = threads

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed; threads are left out, since they change nothing."""
        return dict(self._parameters)

    def _learn(self, user_items: Any) -> Factors:
        if user_items.nnz == 0:
            users, items = user_items.shape
            raise ValueError(
                f"ALS cannot learn from {users} users x {items} items without interactions:"
                " widen the data window"
            )
        # Imported here: implicit takes a second to import, and a process that only lists the
        # models does not need it.
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        own = self._parameters
        # BLAS threads compete with those of implicit, and change the order of sums.
        with threadpool_limits(limits=1, user_api="blas"):
            solver = AlternatingLeastSquares(
                factors=own["factors"],
                regularization=own["regularization"],
                alpha=1.0,
                iterations=own["iterations"],
                random_state=own["seed"],
                num_threads=self._threads,
                dtype=np.float32,
            )
            # implicit reads stored values as confidence: without the 1, a small weight counts less
            # than no interaction.
            confidence = user_items.copy()
            relative = confidence.data / confidence.data.mean(dtype=np.float64)
            confidence.data = (1 + own["alpha"] * relative).astype(np.float32)
            solver.fit(confidence, show_progress=False)
        if np.abs(solver.item_factors).max() < _COLLAPSED:
            raise ValueError(
                f"ALS learned nothing: regularization {own['regularization']} outweighs"
                f" {user_items.nnz} interactions and shrank all factors to zero; lower it, or"
                " widen the data window"
            )
        mean = float(user_items.data.mean(dtype=np.float64))
        folding = FoldIn(gain=own["alpha"] / mean, pull=own["regularization"])
        return Factors(solver.user_factors, solver.item_factors, folding=folding)
