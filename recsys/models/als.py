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

BY_SIZE = "by_size"
_MOST_BY_SIZE = 100.0
# The share of the pull that would leave no factor but zero.
_SURE_TO_LEARN = 0.5

# Factors start below 0.01. A fit either brings them well above this value, or towards zero.
_COLLAPSED = 1e-4


class ALS(FactorRecommender):
    """Factors that minimise, over all pairs, c (p - x.y)^2 + regularization (|x|^2 + |y|^2), with
    preference p = 1 where a weight w is stored and 0 elsewhere, and confidence c = 1 + alpha w / m,
    m the mean stored weight: the unit of the weights changes nothing.

    `factors` is the width of the arrays, `iterations` the sweeps over users and items. One seed
    gives byte-identical factors whatever the number of threads (`threads`, 0 for all cores): the
    threads share no sum, and BLAS is held to one.

    `regularization` is a number, or `by_size`: half the root of the number of interactions, at
    most 100, and at most half of what would certainly leave factors other than zero. (Best of 2 to
    140 by NDCG@10 on MovieTweetings and on samples of its users: 60 at 15,000 interactions, 80 at
    30,000, 100 at 59,000; below 7,000 all from 20 to 100 are alike.) `fit` raises ValueError for a
    matrix without interactions, or if the given regularization leaves no factor but zero.
    """

    name = "als"

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float | str = BY_SIZE,
        alpha: float = 10.0,
        iterations: int = 15,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        is_number = not isinstance(regularization, str)
        if (
            factors < 1
            or iterations < 1
            or alpha <= 0
            or (float(regularization) < 0 if is_number else regularization != BY_SIZE)
        ):
            raise ValueError(
                f"ALS needs factors and iterations >= 1, alpha > 0, and regularization >= 0 or"
                f" {BY_SIZE!r}, but has {factors}, {iterations}, {alpha} and {regularization!r}"
            )
        self._parameters: dict[str, Any] = {
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
        from threadpoolctl import threadpool_limits

        own = self._parameters
        # implicit reads stored values as confidence: without the 1, a small weight counts less
        # than no interaction.
        confidence = user_items.copy()
        relative = confidence.data / confidence.data.mean(dtype=np.float64)
        confidence.data = (1 + own["alpha"] * relative).astype(np.float32)
        given = own["regularization"]
        pull = _pull_by_size(confidence) if given == BY_SIZE else float(given)
        # BLAS threads compete with those of implicit, and change the order of sums.
        with threadpool_limits(limits=1, user_api="blas"):
            solver = AlternatingLeastSquares(
                factors=own["factors"],
                regularization=pull,
                alpha=1.0,
                iterations=own["iterations"],
                random_state=own["seed"],
                num_threads=self._threads,
                dtype=np.float32,
            )
            solver.fit(confidence, show_progress=False)
        if np.abs(solver.item_factors).max() < _COLLAPSED:
            raise ValueError(
                f"ALS learned nothing: regularization {pull} outweighs"
                f" {user_items.nnz} interactions and shrank all factors to zero; lower it, or"
                " widen the data window"
            )
        mean = float(user_items.data.mean(dtype=np.float64))
        folding = FoldIn(gain=own["alpha"] / mean, pull=pull)
        return Factors(solver.user_factors, solver.item_factors, folding=folding)


def _pull_by_size(confidence: Any) -> float:
    """The regularization for a CSR of this size, see `ALS`."""
    # The largest singular value of c p is at least the length of its longest row or column; below
    # it, the first factor does not shrink to zero.
    squares = confidence.multiply(confidence)
    longest = max(float(np.sqrt(squares.sum(axis=axis).max())) for axis in (0, 1))
    by_size = float(np.sqrt(confidence.nnz)) / 2
    return min(_MOST_BY_SIZE, by_size, _SURE_TO_LEARN * longest)
