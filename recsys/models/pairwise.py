"""Factor models that learn by gradient from sampled items: BPR and logistic factorization.

Sources: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback" (UAI 2009);
Johnson, "Logistic Matrix Factorization for Implicit Feedback Data" (NIPS workshop 2014); both as
the library implicit has them.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from recsys.recommender import FactorRecommender
from recsys.scoring.factors import Factors, FoldIn

# A pull against which a history only turns a new user's factor: towards the sum of its items.
_STRONG = 1e6


class SampledFactors(FactorRecommender):
    """The common part of BPR and LMF. BPR uses only whether a weight is stored, LMF its value.

    One seed gives byte-identical factors: the models learn on one thread, because several threads
    overwrite each other's steps. These models have no closed form for a new user, who gets the mean
    of the factors of the items. `fit` raises ValueError for a matrix without interactions.
    """

    def __init__(
        self,
        *,
        factors: int = 64,
        learning_rate: float,
        regularization: float,
        iterations: int,
        seed: int = 0,
    ) -> None:
        if factors < 1 or iterations < 1 or learning_rate <= 0 or regularization < 0:
            raise ValueError(
                f"{self.name} needs factors and iterations >= 1, learning_rate > 0 and"
                f" regularization >= 0, but has {factors}, {iterations}, {learning_rate} and"
                f" {regularization}"
            )
        self._parameters: dict[str, int | float | str] = {
            "factors": factors,
            "learning_rate": learning_rate,
            "regularization": regularization,
            "iterations": iterations,
            "seed": seed,
        }

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return dict(self._parameters)

    def _learn(self, user_items: Any) -> Factors:
        if user_items.nnz == 0:
            users, items = user_items.shape
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        own = dict(self._parameters)
        seed = own.pop("seed")
        solver = self._solver(random_state=seed, num_threads=1, dtype=np.float32, **own)
        solver.fit(user_items, show_progress=False)
        has_one = np.bincount(user_items.indices, minlength=user_items.shape[1]) > 0
        # An item without users was never a positive example: its initial factor has no meaning.
        items = np.where(has_one[:, None], solver.item_factors, 0).astype(np.float32)
        folding = FoldIn(unobserved=0, pull=_STRONG, as_confidence=False)
        return Factors(np.array(solver.user_factors), items, folding=folding)

    @abstractmethod
    def _solver(self, **parameters: Any) -> Any:
        """The class of implicit, with these parameters."""


class BPR(SampledFactors):
    """Factors that rank an item of a user above a sampled item that the user does not have.

    implicit samples items in proportion to their users (its issue 255), and not evenly as in the
    paper. So its scores omit the popularity of an item. The correction of Yi et al.,
    "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations" (RecSys 2019),
    adds the log of the sampling frequency; here, of the sum of the item's weights, which is equal
    to it if all weights are equal.
    """

    name = "bpr"

    def __init__(
        self,
        *,
        factors: int = 64,
        learning_rate: float = 0.05,
        regularization: float = 0.01,
        iterations: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            seed=seed,
        )

    def _solver(self, **parameters: Any) -> Any:
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        return BayesianPersonalizedRanking(**parameters)

    def _learn(self, user_items: Any) -> Factors:
        learned = super()._learn(user_items)
        mean = user_items.data.mean(dtype=np.float64)
        total = np.asarray(user_items.sum(axis=0, dtype=np.float64)).ravel() / mean
        # An item without users ranks after all other items that a user's factor does not separate.
        total = np.maximum(total, total[total > 0].min() / 2)
        items = learned.items.copy()
        # implicit stores the items' biases in the last column; users have ones there.
        items[:, -1] += np.log(total).astype(np.float32)
        # A new user's factor has the direction of the sum of the items and the usual length.
        sums = (user_items / mean) @ items[:, :-1]
        length, own = (
            float(np.linalg.norm(part, axis=1).mean()) for part in (sums, learned.users[:, :-1])
        )
        folding = replace(
            learned.folding, gain=1 / mean, pull=max(length / max(own, 1e-6), 1e-6), biases=1
        )
        return replace(learned, items=items, folding=folding)


class LogisticMF(SampledFactors):
    """Factors by which the odds of an interaction are exp(x.y), against sampled items."""

    name = "lmf"

    def __init__(
        self,
        *,
        factors: int = 32,
        learning_rate: float = 1.0,
        regularization: float = 0.6,
        iterations: int = 30,
        seed: int = 0,
    ) -> None:
        super().__init__(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            seed=seed,
        )

    def _solver(self, **parameters: Any) -> Any:
        from implicit.cpu.lmf import LogisticMatrixFactorization

        return LogisticMatrixFactorization(**parameters)
