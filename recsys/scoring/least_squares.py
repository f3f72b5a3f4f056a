"""Solves for the factors of many users or items at once, given those of the other side.

Belongs here: the weighted least squares that alternating models repeat, and that places a new user
among the factors. NumPy only, because a consumer runs this code too.

Solved by conjugate gradient, after Takacs, Pilaszy, Tikk, "Applications of the Conjugate Gradient
Method for Implicit Feedback Collaborative Filtering" (RecSys 2011), for all rows of a batch
together, so that nothing loops over users.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.ranking import ItemLists

_TINY = 1e-30


@dataclass(frozen=True)
class System:
    """For each row x: (gram + sum over its list of gain y y' + pull) x = sum of target y.

    `vectors` [entries, f] are the y of the lists' entries, `gain` and `target` [entries] belong to
    them; `gram` is [f, f], `pull` [rows]. All of one floating type, which is that of the solution.
    `summed`, if given, is a faster way to what `_sums` does.
    """

    lists: ItemLists
    vectors: NDArray[Any]
    gain: NDArray[Any]
    target: NDArray[Any]
    gram: NDArray[Any]
    pull: NDArray[Any]
    summed: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    def solve(self, start: NDArray[Any], steps: int) -> NDArray[Any]:
        """The x [rows, f] after `steps` steps from `start`; exact up to rounding after f steps."""
        solution = start.copy()
        residual = self._sums(self.target) - self._applied(solution)
        direction = residual.copy()
        size = _products(residual, residual)
        for _ in range(steps):
            applied = self._applied(direction)
            curvature = _products(direction, applied)
            # A solved row has residual and direction zero, and so a step of zero.
            length = size / np.maximum(curvature, _TINY)
            solution += length[:, None] * direction
            residual -= length[:, None] * applied
            before, size = size, _products(residual, residual)
            direction = residual + (size / np.maximum(before, _TINY))[:, None] * direction
        return solution

    def _applied(self, x: NDArray[Any]) -> NDArray[Any]:
        of_each = np.repeat(x, self.lists.lengths, axis=0)
        products = _products(of_each, self.vectors) * self.gain
        applied: NDArray[Any] = x @ self.gram + x * self.pull[:, None]
        applied += self._sums(products)
        return applied

    def _sums(self, factors: NDArray[Any]) -> NDArray[Any]:
        """For each row, the sum over its list of factor y."""
        if self.summed is not None:
            return self.summed(factors)
        entries = self.vectors * factors[:, None]
        sums = np.zeros((len(self.lists), entries.shape[1]), dtype=entries.dtype)
        filled = self.lists.lengths > 0
        if filled.any():
            starts = self.lists.indptr[:-1][filled]
            sums[filled] = np.add.reduceat(entries, starts, axis=0)
        return sums


def _products(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    products: NDArray[Any] = np.einsum("rf,rf->r", x, y)
    return products
