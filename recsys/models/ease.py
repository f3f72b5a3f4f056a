"""EASE: a full linear filter of items, in closed form.

Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.models.numerics.blas_threads import fixed_blas_threads
from recsys.recommender import ItemFilterRecommender
from recsys.scoring.dense_filter import DenseFilter

# The Gram matrix, sparse and dense at once; then its inverse, the filter and half of a copy.
_BYTES_A_CELL = 16


class EASE(ItemFilterRecommender):
    """scores = h B, where B has a zero diagonal and minimises |R - R B|^2 + regularization |B|^2.

    B is items x items, not sparse: memory grows with the square of the items, time with the cube.
    `regularization` is in units of users; `memory_gib` is what may be used, by default nine tenths
    of what the machine has free. Weights count by their square root. The same matrix
    gives the same bytes, whatever the number of cores (see `blas_threads`).

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

    def _learn(self, user_items: Any) -> DenseFilter:
        users, items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        with fixed_blas_threads():
            return self._filter(user_items)

    def _filter(self, user_items: Any) -> DenseFilter:
        from scipy.linalg import lapack

        items = user_items.shape[1]
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
        return DenseFilter(np.ascontiguousarray(full))
