"""Popularity: recommends what most people have. The baseline that every model must beat."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.recommender import FactorRecommender
from recsys.scoring.factors import Factors, FoldIn
from recsys.scoring.ranking import Float32


class Popularity(FactorRecommender):
    """Score of an item = number of users who have it, whatever the weights, so that one heavy user
    moves nothing. As factors of width one: 1 for each user, the count for each item. Items similar
    to an item are the most popular others. Learns from any matrix, an empty one too.
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
    """Score of an item = sum of its weights, in the unit of the weights. They carry the decay by
    age: what was liked lately counts most, where the matrix was made with a half-life.
    """

    name = "popularity_decayed"

    def _learn(self, user_items: Any) -> Factors:
        # float64 on the way: the sum of a float32 column depends on its order.
        weights = np.asarray(user_items.sum(axis=0, dtype=np.float64)).ravel()
        return _same_for_all(user_items.shape[0], weights.astype(np.float32))


def _same_for_all(users: int, scores: Float32) -> Factors:
    return Factors(
        users=np.ones((users, 1), dtype=np.float32),
        items=scores.reshape(-1, 1),
        similarity="inner_product",
        folding=FoldIn(is_same_for_all=True),
    )
