"""Popularity: everyone is offered what most people have. The baseline every model must beat."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.factors import Factors
from recsys.recommender import FactorRecommender


class Popularity(FactorRecommender):
    """Score of an item = number of users who have it, whatever the weights, so that one heavy user
    moves nothing. As factors of width one: 1 for each user, the count for each item. Items similar
    to an item are the most popular others. Learns from any matrix, an empty one too.
    """

    name = "popularity"

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """None."""
        return {}

    def _learn(self, user_items: Any) -> Factors:
        users, items = user_items.shape
        counts = np.bincount(user_items.indices, minlength=items).astype(np.float32)
        return Factors(
            users=np.ones((users, 1), dtype=np.float32),
            items=counts.reshape(items, 1),
            similarity="inner_product",
        )
