"""The items of users with weights and times, in a consumer: a CSR matrix without SciPy.

Belongs here: that value. NumPy only. Does not belong here: the computation of weights (`matrix`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.ranking import Float32, Int32, Int64, ItemLists


@dataclass(frozen=True)
class Histories:
    """A list of items for each user; `weights` float32 has the weight of each item, and `times`
    int64 when the user first had it, in microseconds since 1970, where that is known.
    """

    lists: ItemLists
    weights: Float32
    times: Int64 | None = None

    @classmethod
    def of(cls, csr: Any, times: Int64 | None = None) -> "Histories":
        """The rows of a SciPy CSR matrix users x items; `times` of its stored entries."""
        return cls(ItemLists.of(csr), csr.data.astype(np.float32, copy=False), times)

    @classmethod
    def of_single_items(cls, item_indices: NDArray[np.integer]) -> "Histories":
        """One user for each item, who has only this item, with weight one."""
        lists = ItemLists(np.arange(len(item_indices) + 1), item_indices.astype(np.int32))
        return cls(lists, np.ones(len(item_indices), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.lists)

    def fingerprints(self) -> NDArray[np.uint64]:
        """A number for each list, uint64[rows]: the same for the same items and weights, and for
        others almost never (by chance in 2^64). The unit of the weights matters.
        """
        entries = self.lists.indices.astype(np.uint64) << np.uint64(32)
        entries |= self.weights.view(np.uint32)
        # A sum does not depend on the order. It may overflow, and so may differences.
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(_mixed(entries))))
        prints: NDArray[np.uint64] = sums[self.lists.indptr[1:]] - sums[self.lists.indptr[:-1]]
        return prints

    def take(self, rows: NDArray[np.integer]) -> "Histories":
        """The given rows, in the given order."""
        entries = self.lists.positions(rows)
        times = None if self.times is None else self.times[entries]
        return Histories(self.lists.take(rows), self.weights[entries], times)

    def in_order(self) -> Int32:
        """The items of each list, oldest first, in an array like `lists.indices`; see `order`."""
        return self.lists.indices[self.order()]

    def order(self) -> Int64:
        """The positions in `lists.indices` by row, and within a row oldest first.

        Items of one time, and all items where times are unknown, are in the order of their weights,
        since weights decay with age; of equal weights the lower index is first.
        """
        row = self.lists.row_of_each()
        keys = (self.weights, row) if self.times is None else (self.weights, self.times, row)
        return np.lexsort(keys)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Map each value to a pseudorandom one: splitmix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
