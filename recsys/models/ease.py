"""EASE: a full linear filter of items, in closed form.

Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.recommender import ItemFilterRecommender
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import ItemLists

# Gram matrix, sparse and then dense, and the filter that is made of it with its columns.
_BYTES_A_CELL = 20


class EASE(ItemFilterRecommender):
    """scores = h B, where B has a zero diagonal and minimises |R - R B|^2 + regularization |B|^2.

    B is items x items, not sparse: memory grows with the square of the items, time with the cube.
    `regularization` is in units of users; `memory_gib` is what may be used, by default nine tenths
    of what the machine has free. Weights count by their square root. Deterministic.

    `fit` raises ValueError for a matrix without interactions.
    """

    name = "ease"
    weight_exponent = 0.5

    def __init__(self, *, regularization: float = 200.0, memory_gib: float | None = None) -> None:
        if regularization <= 0:
            raise ValueError(f"ease needs regularization > 0, but has {regularization}")
        self._regularization, self.memory_gib = regularization, memory_gib

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed; the memory it may use changes nothing."""
        return {"regularization": self._regularization}

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        items: int = user_items.shape[1]
        return items * items * _BYTES_A_CELL

    def _learn(self, user_items: Any) -> ItemFilter:
        users, items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        from scipy.linalg import lapack

        mean_square = float(np.mean(np.square(user_items.data, dtype=np.float64)))
        gram = (user_items.T @ user_items).toarray().astype(np.float32, copy=False)
        gram[np.diag_indices(items)] += np.float32(self._regularization * mean_square)
        # The Gram matrix is symmetric: read as Fortran's it is itself, and nothing is copied.
        factor, failed = lapack.spotrf(gram.T, lower=0, overwrite_a=1, clean=0)
        inverse, failed_too = lapack.spotri(factor, lower=0, overwrite_c=1)
        if failed or failed_too:
            raise ValueError(
                f"{self.name}: the items are too alike for float32 at regularization"
                f" {self._regularization}: raise it"
            )
        full = np.triu(inverse)
        full += np.triu(inverse, 1).T
        full /= -np.diag(full).copy()
        np.fill_diagonal(full, 0)
        every = np.tile(np.arange(items, dtype=np.int32), items)
        lists = ItemLists(np.arange(items + 1, dtype=np.int64) * items, every)
        none = np.zeros((items, 0), dtype=np.float32)
        return ItemFilter(lists, np.ascontiguousarray(full).ravel(), none, none)
