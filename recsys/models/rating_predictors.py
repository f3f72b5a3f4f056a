"""Predicts the rating of an item by a user, from biases of users and items, and from factors.

Source: Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems" (IEEE
Computer, 2009): the biases are its equation 3, the factors its equation 5, by alternating least
squares with the regularisation scaled by frequency (Zhou et al., AAIM 2008).
"""

from typing import ClassVar, Self

import numpy as np

from recsys.evaluation.ratings import Ratings
from recsys.scoring.least_squares import System
from recsys.scoring.ranking import Float64, Int64, ItemLists


class Biases:
    """mean + b_u + b_i, which minimise the squared error + `user_pull` times the sum of b_u^2
    + `item_pull` times that of b_i^2, in `sweeps` over items and users. In points of the rating,
    and never beyond the lowest and the highest one learned from. Deterministic.
    """

    name: ClassVar[str] = "biases"

    def __init__(self, *, user_pull: float = 3.0, item_pull: float = 2.0, sweeps: int = 20) -> None:
        if user_pull < 0 or item_pull < 0 or sweeps < 1:
            raise ValueError(
                f"{self.name} needs pulls >= 0 and sweeps >= 1, but has {user_pull}, {item_pull}"
                f" and {sweeps}"
            )
        self._user_pull, self._item_pull, self._sweeps = user_pull, item_pull, sweeps

    def fit(self, ratings: Ratings) -> Self:
        """As promised by RatingPredictor."""
        if len(ratings) == 0:
            raise ValueError(f"{self.name} cannot learn from no rating: widen the data window")
        self._range = float(ratings.value.min()), float(ratings.value.max())
        self._mean = float(ratings.value.mean())
        self._of_user, self._of_item = np.zeros(len(ratings.users)), np.zeros(len(ratings.items))
        rest = ratings.value - self._mean
        for _ in range(self._sweeps):
            of_rest = rest - self._of_user[ratings.user]
            self._of_item = _shrunk_means(
                ratings.item, of_rest, self._item_pull, len(ratings.items)
            )
            of_rest = rest - self._of_item[ratings.item]
            self._of_user = _shrunk_means(
                ratings.user, of_rest, self._user_pull, len(ratings.users)
            )
        return self

    def predict(self, ratings: Ratings) -> Float64:
        """As promised by RatingPredictor."""
        found: Float64 = np.clip(self._raw(ratings), *self._range)
        return found

    def _raw(self, ratings: Ratings) -> Float64:
        of_user, of_item = _known(self._of_user, ratings.user), _known(self._of_item, ratings.item)
        raw: Float64 = self._mean + of_user + of_item
        return raw


class BiasedFactors(Biases):
    """Biases + x.y, where x and y minimise what the biases leave, squared, + `regularization`
    times the sum of n |x|^2, n a user's ratings, and likewise over items. `factors` is their width,
    `iterations` the sweeps over users and items. One seed gives the same bytes.
    """

    name: ClassVar[str] = "biased_factors"

    def __init__(
        self,
        *,
        factors: int = 8,
        regularization: float = 1.0,
        iterations: int = 10,
        seed: int = 0,
        user_pull: float = 3.0,
        item_pull: float = 2.0,
    ) -> None:
        super().__init__(user_pull=user_pull, item_pull=item_pull)
        if factors < 1 or iterations < 1 or regularization <= 0:
            raise ValueError(
                f"{self.name} needs factors and iterations >= 1 and regularization > 0, but has"
                f" {factors}, {iterations} and {regularization}"
            )
        self._factors, self._regularization = factors, regularization
        self._iterations, self._seed = iterations, seed

    def fit(self, ratings: Ratings) -> Self:
        """As promised by RatingPredictor."""
        super().fit(ratings)
        rest = ratings.value - super()._raw(ratings)
        random = np.random.default_rng(self._seed)
        shape = len(ratings.items), self._factors
        self._items = random.standard_normal(shape) / np.sqrt(self._factors)
        self._users = np.zeros((len(ratings.users), self._factors))
        for _ in range(self._iterations):
            self._users = self._solved(ratings.user, ratings.item, rest, self._users, self._items)
            self._items = self._solved(ratings.item, ratings.user, rest, self._items, self._users)
        return self

    def _solved(
        self, mine: Int64, theirs: Int64, rest: Float64, own: Float64, other: Float64
    ) -> Float64:
        """The factors of one side, given those of the other."""
        order = np.lexsort((theirs, mine))
        counts = np.bincount(mine, minlength=len(own))
        lists = ItemLists(np.concatenate(([0], np.cumsum(counts))), theirs[order].astype(np.int32))
        system = System(
            lists=lists,
            vectors=other[lists.indices],
            gain=np.ones(len(mine)),
            target=rest[order],
            gram=np.zeros((self._factors, self._factors)),
            pull=self._regularization * np.maximum(counts, 1),
        )
        return system.solve(own, self._factors)

    def _raw(self, ratings: Ratings) -> Float64:
        users, items = _known(self._users, ratings.user), _known(self._items, ratings.item)
        raw: Float64 = super()._raw(ratings) + np.einsum("rf,rf->r", users, items)
        return raw


def _shrunk_means(group: Int64, values: Float64, pull: float, size: int) -> Float64:
    """Sum of each group's values over their number + `pull`; 0 for a group without any."""
    sums = np.bincount(group, weights=values, minlength=size)
    means: Float64 = sums / np.maximum(np.bincount(group, minlength=size) + pull, 1e-9)
    return means


def _known(of_each: Float64, place: Int64) -> Float64:
    """Rows of `of_each`; zero for unknown ids."""
    padded = np.concatenate((of_each, np.zeros((1, *of_each.shape[1:]))))
    rows: Float64 = padded[place]
    return rows
