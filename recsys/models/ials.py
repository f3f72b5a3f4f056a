"""Implicit ALS with an unobserved weight and regularisation scaled by frequency.

Source: Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation
Benchmarks" (RecSys 2022), after Hu, Koren, Volinsky (ICDM 2008).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from recsys.recommender import FactorRecommender
from recsys.scoring.factors import Factors, FoldIn
from recsys.scoring.least_squares import System
from recsys.scoring.ranking import Float32, ItemLists

_STEPS = 3
_ROWS_AT_ONCE = 512
_START = 0.1


class FrequencyScaledALS(FactorRecommender):
    """Factors that minimise, over interactions, g (1 - x.y)^2 with g = w / m, m the mean weight,
    + `unobserved_weight` times the sum over all pairs of (x.y)^2
    + `regularization` times the sum of (n + `unobserved_weight` N)^`exponent` |x|^2 over users,
    n a user's items of N, and likewise over items.

    `factors` is the width, `iterations` the sweeps over users and items, three steps of conjugate
    gradient each. One seed gives byte-identical factors whatever `threads` (0 for two).
    Raises ValueError for a matrix without interactions.
    """

    name = "ials"

    def __init__(
        self,
        *,
        factors: int = 128,
        regularization: float = 0.1,
        unobserved_weight: float = 0.01,
        exponent: float = 0.5,
        iterations: int = 8,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        if factors < 1 or iterations < 1 or regularization < 0 or unobserved_weight <= 0:
            raise ValueError(
                "iALS needs factors and iterations >= 1, regularization >= 0 and unobserved_weight"
                f" > 0, but has {factors}, {iterations}, {regularization} and {unobserved_weight}"
            )
        self._factors, self._regularization = factors, regularization
        self._unobserved, self._exponent = unobserved_weight, exponent
        self._iterations, self._seed, self._threads = iterations, seed, threads or 2

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed; threads are left out, since they change nothing."""
        return {
            "factors": self._factors,
            "regularization": self._regularization,
            "unobserved_weight": self._unobserved,
            "exponent": self._exponent,
            "iterations": self._iterations,
            "seed": self._seed,
        }

    def _learn(self, user_items: Any) -> Factors:
        # Here and not above: a consumer that reads factors has no threadpoolctl.
        from threadpoolctl import threadpool_limits

        count_users, count_items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {count_users} users x {count_items} items without"
                " interactions: widen the data window"
            )
        mean = float(user_items.data.mean(dtype=np.float64))
        by_user = user_items.astype(np.float32, copy=True)
        by_user.data /= np.float32(mean)
        by_item = by_user.T.tocsr()
        random = np.random.default_rng(self._seed)
        users, items = (
            random.standard_normal((count, self._factors), dtype=np.float32)
            * np.float32(_START / np.sqrt(self._factors))
            for count in (count_users, count_items)
        )
        # BLAS threads would split sums by their number, and compete with the pool's.
        with (
            threadpool_limits(limits=1, user_api="blas"),
            ThreadPoolExecutor(self._threads) as pool,
        ):
            for _ in range(self._iterations):
                users = self._solved(by_user, users, items, pool)
                items = self._solved(by_item, items, users, pool)
        folding = FoldIn(
            unobserved=self._unobserved,
            gain=1 / mean,
            pull=self._regularization,
            offset=self._unobserved * count_items,
            exponent=self._exponent,
            as_confidence=False,
        )
        return Factors(users, items, folding=folding)

    def _solved(
        self, csr: Any, mine: Float32, theirs: Float32, pool: ThreadPoolExecutor
    ) -> Float32:
        """The factors of the rows of `csr`, given those of its columns."""
        from scipy.sparse import csr_matrix

        lists = ItemLists.of(csr)
        gram = np.float32(self._unobserved) * (theirs.T @ theirs)
        frequency = lists.lengths + self._unobserved * csr.shape[1]
        pull = (self._regularization * frequency**self._exponent).astype(np.float32)
        solved = np.empty_like(mine)

        def solve(rows: slice) -> None:
            entries = slice(csr.indptr[rows.start], csr.indptr[rows.stop])
            gain = csr.data[entries]
            own = ItemLists(
                lists.indptr[rows.start : rows.stop + 1] - lists.indptr[rows.start],
                lists.indices[entries],
            )

            def summed(factors: Float32) -> Float32:
                part = (factors, own.indices, own.indptr)
                sums: Float32 = csr_matrix(part, shape=(len(own), len(theirs))) @ theirs
                return sums

            system = System(
                lists=own,
                vectors=theirs[own.indices],
                gain=gain,
                target=gain,
                gram=gram,
                pull=pull[rows],
                summed=summed,
            )
            solved[rows] = system.solve(mine[rows], _STEPS)
            # Without interactions the minimum is zero, which few steps only come near to.
            solved[rows][own.lengths == 0] = 0

        starts = range(0, len(mine), _ROWS_AT_ONCE)
        list(pool.map(solve, (slice(s, min(s + _ROWS_AT_ONCE, len(mine))) for s in starts)))
        return solved
