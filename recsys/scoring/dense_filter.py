"""A dense item filter: the scorer of a model that learns a value for every pair of items.

Belongs here: scores and likeness computed from a full items x items matrix. Does not belong here:
how it is learned (`models/ease`). NumPy only, because a consumer runs this code too. Its sibling
`item_filter` stores the nearest items of each; a full matrix in that form scores a hundred times
slower.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float32, Ranked, rank_similar


@dataclass(frozen=True)
class DenseFilter:
    """scores = h B, where h is a user's row of weights and B = `values` float32[items, items].

    Raises ValueError for an array of another type or shape, or with values not finite.
    """

    values: Float32

    scoring: ClassVar[str] = "dense_filter"

    def __post_init__(self) -> None:
        shape = self.values.shape
        if self.values.dtype != np.float32 or len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(
                f"the filter is {self.values.dtype}{list(shape)}: need float32[items, items]"
            )
        if not np.isfinite(self.values).all():
            raise ValueError("the filter holds NaN or inf: fit the model again")

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact; they do not depend on the settings."""
        del settings
        return {"values": np.float32}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays`; there are no settings."""
        del settings
        return cls(arrays["values"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that an artifact stores."""
        return {"values": self.values}

    def settings(self) -> dict[str, Any]:
        """Empty: a manifest stores no settings of it."""
        return {}

    def fits(self, users: int, items: int) -> bool:
        """Whether the matrix has this number of items; the number of users does not matter."""
        del users
        return len(self.values) == items

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(histories), items], a new array; depends only on the histories."""
        del user_indices
        return self.fold_in(histories)

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users by their histories alone, float32[len(histories), items]."""
        lists = histories.lists
        # A dense row for each history: one product of matrices is far faster than sums of rows.
        spread = np.zeros((len(histories), len(self.values)), dtype=np.float32)
        spread[lists.row_of_each(), lists.indices] = histories.weights
        scores: Float32 = spread @ self.values
        return scores

    def similarities(self, item_indices: NDArray[np.integer]) -> Float32:
        """Rows of B, float32[len(item_indices), items], a fresh array."""
        rows: Float32 = self.values[item_indices]
        return rows

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` items with the highest value for each item: ids int32[rows, n], values float32.

        Only items of positive value are listed; rows are padded with id -1 and score -inf.
        """
        return rank_similar(self.similarities, item_indices, len(self.values), n)
