"""Content: recommends items whose texts are like those of the user's items, even new items.

Source: Salton, Buckley, "Term-weighting approaches in automatic text retrieval" (1988), by
scikit-learn's TfidfVectorizer; profiles after Rocchio (1971).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recsys.memory import BYTES_A_NEIGHBOUR
from recsys.recommender import ItemFilterRecommender
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import batches, rank


class Content(ItemFilterRecommender):
    """score = sum over a user's items of weight times cosine of the texts' TF-IDF vectors.

    `texts` has a text for each column of the matrix, in its order; None or "" for none. Of each
    item the `neighbours` most alike are kept. Words (any Unicode) count lower-cased, those in more
    than half of the texts do not. Learns without interactions, too. Deterministic.

    `fit` raises ValueError if the texts are not as many as the items.
    """

    name = "content"

    def __init__(self, texts: Sequence[str | None], *, neighbours: int = 200) -> None:
        if neighbours < 1:
            raise ValueError(f"content needs neighbours >= 1, but has {neighbours}")
        self._texts, self._neighbours = texts, neighbours

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """The constructor's parameters without the texts, which are data."""
        return {"neighbours": self._neighbours}

    def bytes_needed(self, user_items: Any) -> int:
        """See Recommender. Does not include the words of the texts, which are about as large."""
        return int(user_items.shape[1]) * self._neighbours * BYTES_A_NEIGHBOUR

    def _learn(self, user_items: Any) -> ItemFilter:
        import scipy.sparse

        items = user_items.shape[1]
        if len(self._texts) != items:
            raise ValueError(
                f"there are {len(self._texts)} texts for {items} items: give one for each column"
                " of the matrix, in its order"
            )
        vectors = self.vectors()
        kept = []
        for rows in batches(items, items):
            likeness = np.asarray((vectors[rows] @ vectors.T).toarray(), dtype=np.float32)
            itself = np.arange(rows.start, rows.stop)
            likeness[itself - rows.start, itself] = 0
            likeness[likeness <= 0] = -np.inf
            ids, values = rank(likeness, self._neighbours)
            row, place = np.nonzero(ids >= 0)
            kept.append((row + rows.start, ids[row, place], values[row, place]))
        row, column, value = (np.concatenate(part) for part in zip(*kept, strict=True))
        return ItemFilter.of_sparse(scipy.sparse.csr_matrix((value, (row, column)), (items, items)))

    def vectors(self) -> Any:
        """TF-IDF vectors of unit length, a row an item; empty where no text has a word."""
        import scipy.sparse
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(
            token_pattern=r"(?u)\b\w+\b",  # noqa: S106 - a pattern, no password
            max_df=0.5 if len(self._texts) > 2 else 1.0,
            sublinear_tf=True,
            dtype=np.float32,
        )
        texts = [text or "" for text in self._texts]
        analyse = words.build_analyzer()
        if not any(analyse(text) for text in texts):
            return scipy.sparse.csr_matrix((len(texts), 1), dtype=np.float32)
        return words.fit_transform(texts).tocsr()
