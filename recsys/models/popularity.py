"""Popularity: recommends the items of most users. Every model must rank better than it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.recommender import FactorRecommender
from recsys.scoring.factors import Factors, FoldIn
from recsys.scoring.ranking import Float32


class Popularity(FactorRecommender):
    """Score of an item = number of users who have it. Weights do not count, so that one very active
    user changes little. As factors of width one: 1 for each user, the count for each item. The
    items similar to an item are the most popular others. Accepts any matrix, also an empty one.
    """

    name = "popularity"

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """There are no parameters."""
        return {}

    def _learn(self, user_items: Any) -> Factors:
        items = user_items.shape[1]
        counts = np.bincount(user_items.indices, minlength=items).astype(np.float32)
        return _same_for_all(user_items.shape[0], counts)


class DecayedPopularity(Popularity):
    """Score of an item = sum of its weights. If the matrix was made with a half-life, the weights
    decay with age, and recent interactions count most.
    """

    name = "popularity_decayed"

    def _learn(self, user_items: Any) -> Factors:
        # Summed as float64: the sum of a float32 column depends on the order.
        weights = np.asarray(user_items.sum(axis=0, dtype=np.float64)).ravel()
        return _same_for_all(user_items.shape[0], weights.astype(np.float32))


def _same_for_all(users: int, scores: Float32) -> Factors:
    return Factors(
        users=np.ones((users, 1), dtype=np.float32),
        items=scores.reshape(-1, 1),
        similarity="inner_product",
        folding=FoldIn(is_same_for_all=True),
    )
