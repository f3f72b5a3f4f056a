"""Item neighbours: recommends items that are like the items of the user.

Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms" (WWW 2001).
The library implicit searches the neighbours; the weightings are here, because implicit's TF-IDF
gives NaN for a user who has every item.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.memory import BYTES_A_NEIGHBOUR
from recsys.recommender import ItemFilterRecommender
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import Float64


class ItemNeighbours(ItemFilterRecommender):
    """score = sum over a user's items of weight times likeness, over each item's `neighbours`.

    Likeness of an item i of the history to an item j is x_i.x_j / (|x_i|^p |x_j|^q), x the items'
    columns of users, weighted as the class says, p and q its `_exponents`. Deterministic. Learns
    from any matrix, an empty one too.
    """

    _exponents: tuple[float, float] = (0.0, 0.0)

    def __init__(self, *, neighbours: int = 100) -> None:
        if neighbours < 1:
            raise ValueError(f"{self.name} needs neighbours >= 1, but has {neighbours}")
        self._parameters: dict[str, int | float | str] = {"neighbours": neighbours}
        self._neighbours = neighbours

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return dict(self._parameters)

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        return int(user_items.shape[1]) * (self._neighbours + 1) * BYTES_A_NEIGHBOUR

    @abstractmethod
    def _weighted(self, user_items: Any) -> Any:
        """The CSR float64[users, items] whose columns are compared."""

    def _learn(self, user_items: Any) -> ItemFilter:
        # Imported here: implicit takes a second to import.
        import scipy.sparse
        from implicit.nearest_neighbours import ItemItemRecommender

        if user_items.nnz == 0:
            return ItemFilter.of_sparse(user_items.T.tocsr() @ user_items)
        columns = self._weighted(user_items.astype(np.float64)).tocsr()
        norms = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0)).ravel())
        norms[norms == 0] = 1
        of_history, of_offered = self._exponents
        # The item is among its own neighbours and is removed below. Which items are nearest
        # depends only on the exponent of the other item; the own exponent is applied later.
        model = ItemItemRecommender(K=self._neighbours + 1)
        model.fit((columns @ scipy.sparse.diags(norms**-of_offered)).tocsr(), show_progress=False)
        own = scipy.sparse.diags(norms ** (of_offered - of_history))
        likeness = (own @ model.similarity).tocsr().astype(np.float32)
        likeness.setdiag(0)
        likeness.eliminate_zeros()
        return ItemFilter.of_sparse(likeness)


class CosineNeighbours(ItemNeighbours):
    """The cosine of two items' columns at `asymmetry` a = 1/2; p = 2 a, q = 2 - 2 a.

    A larger `asymmetry` reduces the score of popular items less: Aiolli, "Efficient Top-N
    Recommendation for Very Large Scale Binary Rated Datasets" (RecSys 2013).
    """

    name = "item_cosine"

    def __init__(self, *, neighbours: int = 100, asymmetry: float = 0.8) -> None:
        super().__init__(neighbours=neighbours)
        if not 0 <= asymmetry <= 1:
            raise ValueError(f"{self.name} needs asymmetry from 0 to 1, but has {asymmetry}")
        self._parameters["asymmetry"] = asymmetry
        self._exponents = (2 * asymmetry, 2 - 2 * asymmetry)

    def _weighted(self, user_items: Any) -> Any:
        return user_items


class TfIdfNeighbours(CosineNeighbours):
    """Cosine after weighting users by 1 + log(items / items of the user).

    A user with nearly all items counts little (Salton, Buckley 1988, with an item for a document
    and a user for a word).
    """

    name = "item_tfidf"

    def _weighted(self, user_items: Any) -> Any:
        import scipy.sparse

        return scipy.sparse.diags(_rarity(user_items)) @ user_items.sqrt()


class BM25Neighbours(ItemNeighbours):
    """Weights by BM25 (Robertson, Zaragoza, "The Probabilistic Relevance Framework", 2009).

    Weights saturate at `saturation` (k1 of the paper, in mean weights). With a larger `length` (b
    of the paper) they saturate sooner for items with many interactions. Columns are not brought to
    unit length. At b = 0 the weights of popular items are not reduced.
    """

    name = "item_bm25"

    def __init__(
        self, *, neighbours: int = 100, saturation: float = 5.0, length: float = 0.1
    ) -> None:
        super().__init__(neighbours=neighbours)
        if saturation <= 0 or not 0 <= length <= 1:
            raise ValueError(
                f"{self.name} needs saturation > 0 and length from 0 to 1, but has {saturation}"
                f" and {length}"
            )
        self._parameters |= {"saturation": saturation, "length": length}
        self._saturation, self._length = saturation, length

    def _weighted(self, user_items: Any) -> Any:
        weighted = user_items / user_items.data.mean()
        total = np.asarray(weighted.sum(axis=0)).ravel()
        relative = 1 - self._length + self._length * total / total[total > 0].mean()
        saturated = self._saturation * relative[weighted.indices] + weighted.data
        rarity = np.repeat(_rarity(user_items), np.diff(weighted.indptr))
        weighted.data = rarity * weighted.data * (self._saturation + 1) / saturated
        return weighted


def _rarity(user_items: Any) -> Float64:
    """1 + log(items / items of the user), for each user."""
    counts = np.maximum(np.diff(user_items.indptr), 1)
    rarity: Float64 = 1 + np.log(user_items.shape[1] / counts)
    return rarity
