"""Latent factors: the form in which a model scores, is published, and is served.

Belongs here: scores and likeness computed from two dense arrays. NumPy only, because a consumer
runs this code too. Does not belong here: how factors are learned (`models/`). A model whose scores
are no product of factors (item neighbours, EASE) gets a form of its own beside this one, with its
own `scoring` name in the manifest.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recsys.ranking import Float32, ItemLists, Ranked, rank_in_batches

Similarity = Literal["cosine", "inner_product"]


@dataclass(frozen=True)
class Factors:
    """score(u, i) = users[u] . items[i]; `users` is float32[users, f], `items` float32[items, f].

    `similarity` says how two items compare: `cosine` of their factors, or their `inner_product`
    where the length of a factor is its meaning, as in popularity.

    Raises ValueError for arrays of another type, of different width, or with values not finite.
    """

    users: Float32
    items: Float32
    similarity: Similarity = "cosine"

    def __post_init__(self) -> None:
        for name, array in (("user", self.users), ("item", self.items)):
            if array.ndim != 2 or array.dtype != np.float32:
                raise ValueError(
                    f"{name} factors are {array.dtype}{list(array.shape)}: need float32[rows, f]"
                )
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{name} factors hold NaN or inf: training diverged; regularize more"
                )
        if self.users.shape[1] != self.items.shape[1]:
            raise ValueError(
                f"user factors are {self.users.shape[1]} wide, item factors {self.items.shape[1]}:"
                " both must come from one training"
            )
        if self.similarity not in get_args(Similarity):
            raise ValueError(
                f"similarity is {self.similarity!r}: one of {', '.join(get_args(Similarity))}"
            )

    def scores(self, user_indices: NDArray[np.integer]) -> Float32:
        """float32[len(user_indices), items], a fresh array."""
        scores: Float32 = self.users[user_indices] @ self.items.T
        return scores

    def similarities(self, item_indices: NDArray[np.integer]) -> Float32:
        """float32[len(item_indices), items], a fresh array; 0 for items without a factor."""
        vectors = self._unit_items if self.similarity == "cosine" else self.items
        likeness: Float32 = vectors[item_indices] @ vectors.T
        return likeness

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` most similar other items: ids int32[len(item_indices), n] and likeness float32.

        Only items of positive likeness are listed; where fewer are left, the row is padded with
        id -1 and score -inf.
        """
        itself = ItemLists(np.arange(len(item_indices) + 1), item_indices.astype(np.int32))

        def likeness(rows: slice) -> Float32:
            found = self.similarities(item_indices[rows])
            found[found <= 0] = -np.inf
            return found

        return rank_in_batches(likeness, itself, len(self.items), n)

    @cached_property
    def _unit_items(self) -> Float32:
        norms = np.linalg.norm(self.items, axis=1, keepdims=True)
        norms[norms == 0] = 1
        unit: Float32 = self.items / norms
        return unit
