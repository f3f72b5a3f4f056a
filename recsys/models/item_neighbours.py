"""Item neighbours: an item is offered to those who have items like it.

Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms" (WWW 2001);
the weightings and the search are those of the library implicit.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from recsys.item_filter import ItemFilter
from recsys.recommender import ItemFilterRecommender


class ItemNeighbours(ItemFilterRecommender):
    """score = sum over a user's items of weight times likeness, over each item's `neighbours`.

    Likeness is the inner product of two items' columns of users, weighted as the class says.
    Deterministic. Learns from any matrix, an empty one too.
    """

    _implicit: ClassVar[str]

    def __init__(self, *, neighbours: int = 100) -> None:
        if neighbours < 1:
            raise ValueError(f"{self.name} needs neighbours >= 1, but has {neighbours}")
        self._neighbours = neighbours

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return {"neighbours": self._neighbours}

    def _learn(self, user_items: Any) -> ItemFilter:
        # Here and not above: importing implicit takes a second.
        from implicit import nearest_neighbours

        if user_items.nnz == 0:
            return ItemFilter.of_sparse(user_items.T.tocsr() @ user_items)
        # The item itself is always among its neighbours, and is taken out below.
        model = getattr(nearest_neighbours, self._implicit)(K=self._neighbours + 1)
        model.fit(user_items.astype(np.float64), show_progress=False)
        likeness = model.similarity.tocsr().astype(np.float32)
        likeness.setdiag(0)
        likeness.eliminate_zeros()
        return ItemFilter.of_sparse(likeness)


class CosineNeighbours(ItemNeighbours):
    """Cosine of the items' columns."""

    name = "item_cosine"
    _implicit = "CosineRecommender"


class TfIdfNeighbours(ItemNeighbours):
    """Cosine after weighting users by TF-IDF: who has everything says little."""

    name = "item_tfidf"
    _implicit = "TFIDFRecommender"


class BM25Neighbours(ItemNeighbours):
    """Weights by BM25 (Robertson, Zaragoza, "The Probabilistic Relevance Framework", 2009): those
    of popular items saturate.
    """

    name = "item_bm25"
    _implicit = "BM25Recommender"
