"""The interface of scorers: arrays that give scores, and that an artifact stores.

Belongs here: the protocol that `factors`, `item_filter` and `rank_fusion` implement. NumPy only,
because a consumer runs this code too. To add a scorer, write a class that implements the protocol
and add it to `SCORERS` of `consumer`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float32, Ranked


class Scorer(Protocol):
    """Scores of all items, from arrays alone."""

    scoring: ClassVar[str]
    """Name of the scorer in a manifest."""

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> Mapping[str, type]:
        """The arrays of an artifact with these settings, and their scalar types."""

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """What `arrays` and `settings` gave; raises ValueError, KeyError, TypeError for others."""

    def fits(self, users: int, items: int) -> bool:
        """Whether it is for so many users and items; a scorer without users fits any number."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What an artifact stores; see `expected`."""

    def settings(self) -> dict[str, Any]:
        """What a manifest stores beside the arrays."""

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """Scores of fitted users, float32[users, items], a fresh array."""

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users who were not fitted, by their histories, float32[users, items]."""

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` most similar other items of each."""
