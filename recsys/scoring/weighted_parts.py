"""The parts of a scorer that combines other scorers: each with its weight, and how they are stored.

Belongs here: the value of a part, and the arrays and settings of several. Does not belong here: how
parts are combined (`rank_fusion`, `weighted_sum`). NumPy only, because a consumer runs this code
too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.dense_filter import DenseFilter
from recsys.scoring.factors import Factors
from recsys.scoring.histories import Histories
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import NO_ITEM, Ranked
from recsys.scoring.scorer import Scorer

PART_SCORERS: Mapping[str, type[Factors] | type[ItemFilter] | type[DenseFilter]] = {
    scorer.scoring: scorer for scorer in (Factors, ItemFilter, DenseFilter)
}


@dataclass(frozen=True)
class WeightedScorer:
    """One of the scorers that are combined. `needs_history`: it has no score for users without
    history.
    """

    scorer: Scorer
    weight: float
    weight_exponent: float
    needs_history: bool

    def histories(self, histories: Histories) -> Histories:
        """The histories in the weights of this part."""
        weights = histories.weights ** np.float32(self.weight_exponent)
        return replace(histories, weights=weights)


@dataclass(frozen=True)
class WeightedParts:
    """The parts in their order, as an artifact stores them."""

    parts: tuple[WeightedScorer, ...]

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact with these settings."""
        return {
            f"{place}_{name}": scalar
            for place, part in enumerate(settings["parts"])
            for name, scalar in PART_SCORERS[part["scoring"]].expected(part["settings"]).items()
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """What `arrays` and `settings` gave."""
        parts = []
        for place, part in enumerate(settings["parts"]):
            scorer, own = PART_SCORERS[part["scoring"]], part["settings"]
            its = {name: arrays[f"{place}_{name}"] for name in scorer.expected(own)}
            scalars = part["weight"], part["weight_exponent"], part["needs_history"]
            parts.append(WeightedScorer(scorer.of_arrays(its, own), *scalars))
        return cls(tuple(parts))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What an artifact stores."""
        return {
            f"{place}_{name}": array
            for place, part in enumerate(self.parts)
            for name, array in part.scorer.arrays().items()
        }

    def settings(self) -> dict[str, Any]:
        """What a manifest stores."""
        return {
            "parts": [
                {
                    "scoring": part.scorer.scoring,
                    "settings": part.scorer.settings(),
                    "weight": part.weight,
                    "weight_exponent": part.weight_exponent,
                    "needs_history": part.needs_history,
                }
                for part in self.parts
            ]
        }

    def fits(self, users: int, items: int) -> bool:
        """Whether all parts do."""
        return all(part.scorer.fits(users, items) for part in self.parts)

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` most similar other items of each, by the first part that knows any."""
        ids, values = self.parts[0].scorer.similar_items(item_indices, n)
        for part in self.parts[1:]:
            blank = np.flatnonzero((ids == NO_ITEM).all(axis=1))
            if len(blank) and part.needs_history:
                ids[blank], values[blank] = part.scorer.similar_items(item_indices[blank], n)
        return ids, values
