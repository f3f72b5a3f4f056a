"""What users have interacted with and how much, as a consumer holds it: a CSR without SciPy.

Belongs here: that value. NumPy only. Does not belong here: how weights are made (`matrix`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.ranking import Float32, ItemLists


@dataclass(frozen=True)
class Histories:
    """One list of items a user; `weights` float32 says how much each of them counts."""

    lists: ItemLists
    weights: Float32

    @classmethod
    def of(cls, csr: Any) -> "Histories":
        """The rows of a SciPy CSR matrix users x items."""
        return cls(ItemLists.of(csr), csr.data.astype(np.float32, copy=False))

    @classmethod
    def of_single_items(cls, item_indices: NDArray[np.integer]) -> "Histories":
        """A user for each item, who has it with weight one and nothing else."""
        lists = ItemLists(np.arange(len(item_indices) + 1), item_indices.astype(np.int32))
        return cls(lists, np.ones(len(item_indices), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.lists)

    def take(self, rows: NDArray[np.integer]) -> "Histories":
        """The given rows, in the given order."""
        return Histories(self.lists.take(rows), self.weights[self.lists.positions(rows)])
