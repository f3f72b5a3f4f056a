"""Item neighbours: an item is offered to those who have items like it.

Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms" (WWW 2001).
The search for neighbours is that of the library implicit; the weightings stand here, because
implicit's TF-IDF gives NaN for a user who has every item.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.item_filter import ItemFilter
from recsys.ranking import Float64
from recsys.recommender import ItemFilterRecommender

# Of BM25, as Robertson and Zaragoza suggest: how fast a weight saturates, how much length counts.
_SATURATION, _LENGTH = 1.2, 0.75


class ItemNeighbours(ItemFilterRecommender):
    """score = sum over a user's items of weight times likeness, over each item's `neighbours`.

    Likeness is the inner product of two items' columns of users, weighted as the class says.
    Deterministic. Learns from any matrix, an empty one too.
    """

    def __init__(self, *, neighbours: int = 100) -> None:
        if neighbours < 1:
            raise ValueError(f"{self.name} needs neighbours >= 1, but has {neighbours}")
        self._neighbours = neighbours

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return {"neighbours": self._neighbours}

    @abstractmethod
    def _weighted(self, user_items: Any) -> Any:
        """The CSR float64[users, items] whose columns are compared."""

    def _learn(self, user_items: Any) -> ItemFilter:
        # Here and not above: importing implicit takes a second.
        from implicit.nearest_neighbours import ItemItemRecommender

        if user_items.nnz == 0:
            return ItemFilter.of_sparse(user_items.T.tocsr() @ user_items)
        # The item itself is always among its neighbours, and is taken out below.
        model = ItemItemRecommender(K=self._neighbours + 1)
        model.fit(self._weighted(user_items.astype(np.float64)), show_progress=False)
        likeness = model.similarity.tocsr().astype(np.float32)
        likeness.setdiag(0)
        likeness.eliminate_zeros()
        return ItemFilter.of_sparse(likeness)


class CosineNeighbours(ItemNeighbours):
    """Cosine of the items' columns."""

    name = "item_cosine"

    def _weighted(self, user_items: Any) -> Any:
        return _unit_columns(user_items)


class TfIdfNeighbours(ItemNeighbours):
    """Cosine after weighting users by 1 + log(items / items of the user): who has everything says
    little (Salton, Buckley 1988, with an item for a document and a user for a word).
    """

    name = "item_tfidf"

    def _weighted(self, user_items: Any) -> Any:
        import scipy.sparse

        rare = scipy.sparse.diags(_rarity(user_items))
        return _unit_columns((rare @ user_items.sqrt()).tocsr())


class BM25Neighbours(ItemNeighbours):
    """Weights by BM25 (Robertson, Zaragoza, "The Probabilistic Relevance Framework", 2009): they
    saturate, the sooner the more an item has in all; not brought to one length.
    """

    name = "item_bm25"

    def _weighted(self, user_items: Any) -> Any:
        weighted = user_items.copy()
        length = np.asarray(user_items.sum(axis=0)).ravel()
        relative = 1 - _LENGTH + _LENGTH * length / length[length > 0].mean()
        saturated = _SATURATION * relative[weighted.indices] + weighted.data
        rarity = np.repeat(_rarity(user_items), np.diff(weighted.indptr))
        weighted.data = rarity * weighted.data * (_SATURATION + 1) / saturated
        return weighted


def _rarity(user_items: Any) -> Float64:
    """1 + log(items / items of the user), for each user."""
    counts = np.maximum(np.diff(user_items.indptr), 1)
    rarity: Float64 = 1 + np.log(user_items.shape[1] / counts)
    return rarity


def _unit_columns(matrix: Any) -> Any:
    import scipy.sparse

    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    return (matrix @ scipy.sparse.diags(1 / np.where(norms > 0, norms, 1))).tocsr()
