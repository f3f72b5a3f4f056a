"""An item filter: the scorer of a model that scores items by what a user has interacted with.

Belongs here: scores and likeness computed from an items x items filter B, kept as a sparse part
plus a product of two thin arrays. NumPy only, because a consumer runs this code too. Does not
belong here: how a filter is learned (`models/`). Its sibling `factors` is the scorer of models that
keep a vector a user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import (
    CACHED_CELLS,
    Float32,
    ItemLists,
    Ranked,
    batches,
    rank_similar,
)


@dataclass(frozen=True)
class ItemFilter:
    """scores = h B, where h is a user's row of weights and B = neighbours + left @ right.T.

    `neighbours` lists the items that get a score from each item of a history; `values` float32 may
    be negative. `left` and `right` are float32[items, k]; k may be 0.

    Raises ValueError for arrays of another type or shape, or with values not finite.
    """

    neighbours: ItemLists
    values: Float32
    left: Float32
    right: Float32

    scoring: ClassVar[str] = "item_filter"

    def __post_init__(self) -> None:
        for name, array in (("left", self.left), ("right", self.right)):
            if array.ndim != 2 or array.dtype != np.float32 or len(array) != len(self.neighbours):
                raise ValueError(
                    f"{name} is {array.dtype}{list(array.shape)}: need"
                    f" float32[{len(self.neighbours)}, k], as there are items"
                )
        if self.left.shape != self.right.shape:
            raise ValueError(f"left is {self.left.shape}, right {self.right.shape}: need one shape")
        if self.values.dtype != np.float32 or self.values.shape != self.neighbours.indices.shape:
            raise ValueError("neighbours and their values differ in number or are not float32")
        if not self.neighbours.fits(len(self.left), len(self.left)):
            raise ValueError(f"neighbours do not fit {len(self.left)} items")
        if not all(np.isfinite(part).all() for part in (self.values, self.left, self.right)):
            raise ValueError("the filter holds NaN or inf: fit the model again")

    @classmethod
    def of_sparse(cls, matrix: Any) -> "ItemFilter":
        """A filter without dense part, from a SciPy CSR matrix items x items."""
        matrix = matrix.tocsr()
        matrix.sort_indices()
        none = np.zeros((matrix.shape[0], 0), dtype=np.float32)
        return cls(ItemLists.of(matrix), matrix.data.astype(np.float32), none, none)

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact; they do not depend on the settings."""
        del settings
        return {
            "neighbours_indptr": np.int64,
            "neighbours_indices": np.int32,
            "neighbours_values": np.float32,
            "left": np.float32,
            "right": np.float32,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays`; there are no settings."""
        del settings
        lists = ItemLists(arrays["neighbours_indptr"], arrays["neighbours_indices"])
        return cls(lists, arrays["neighbours_values"], arrays["left"], arrays["right"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that an artifact stores."""
        return {
            "neighbours_indptr": self.neighbours.indptr,
            "neighbours_indices": self.neighbours.indices,
            "neighbours_values": self.values,
            "left": self.left,
            "right": self.right,
        }

    def settings(self) -> dict[str, Any]:
        """Empty: a manifest stores no settings of it."""
        return {}

    def fits(self, users: int, items: int) -> bool:
        """Whether the arrays have this number of items; the number of users does not matter."""
        del users
        return len(self.left) == items

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(histories), items], a new array; depends only on the histories."""
        del user_indices
        return self.fold_in(histories)

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users by their histories alone, float32[len(histories), items]."""
        scores = self._dense_part(histories)
        if len(self.values) and len(histories.weights):
            for rows in batches(len(histories), len(self.left), CACHED_CELLS):
                scores[rows] += self._sparse_part(histories.take(np.arange(rows.start, rows.stop)))
        return scores

    def similarities(self, item_indices: NDArray[np.integer]) -> Float32:
        """Rows of B, float32[len(item_indices), items]: what a history of one item scores."""
        return self.fold_in(Histories.of_single_items(item_indices))

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` items with the highest value for each item: ids int32[rows, n], values float32.

        Only items of positive value are listed; rows are padded with id -1 and score -inf.
        """
        return rank_similar(self.similarities, item_indices, len(self.left), n)

    def _dense_part(self, histories: Histories) -> Float32:
        """Histories @ left @ right.T."""
        lists, width = histories.lists, self.left.shape[1]
        if width == 0 or len(lists.indices) == 0:
            return np.zeros((len(histories), len(self.left)), dtype=np.float32)
        # The rows of `left` that are asked for, times where they belong: a small dense product is
        # far faster than summing slices.
        asked, column = np.unique(lists.indices, return_inverse=True)
        spread = np.zeros((len(histories), len(asked)), dtype=np.float32)
        spread[lists.row_of_each(), column] = histories.weights
        inner: Float32 = spread @ self.left[asked]
        return inner @ self.right.T

    def _sparse_part(self, histories: Histories) -> Float32:
        of_each = self.neighbours.lengths[histories.lists.indices]
        spoken_for = self.neighbours.positions(histories.lists.indices)
        row = np.repeat(histories.lists.row_of_each(), of_each)
        cell = row * len(self.left) + self.neighbours.indices[spoken_for]
        value = self.values[spoken_for] * np.repeat(histories.weights, of_each)
        size = len(histories) * len(self.left)
        sums = np.bincount(cell, weights=value, minlength=size).astype(np.float32)
        return sums.reshape(len(histories), len(self.left))
