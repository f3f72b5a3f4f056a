"""Rank fusion: a scorer that ranks items by their positions in the lists of other scorers.

Belongs here: reciprocal rank fusion of other forms. NumPy only, because a consumer runs this code
too. Source: Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
individual Rank Learning Methods" (SIGIR 2009).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.factors import Factors
from recsys.scoring.histories import Histories
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import NO_ITEM, Float32, Ranked, hide, rank
from recsys.scoring.scorer import Scorer

# The number of positions that are used of a list: later ones do not change the top.
DEPTH = 200
# The k of the paper.
_OFFSET = 60

PART_SCORERS: Mapping[str, type[Factors] | type[ItemFilter]] = {
    scorer.scoring: scorer for scorer in (Factors, ItemFilter)
}


@dataclass(frozen=True)
class WeightedScorer:
    """One of the scorers of a rank fusion. `needs_history`: it has no list for users without
    history.
    """

    scorer: Scorer
    weight: float
    weight_exponent: float
    needs_history: bool

    def histories(self, histories: Histories) -> Histories:
        """The histories in the weights of this part."""
        weights = histories.weights ** np.float32(self.weight_exponent)
        return Histories(histories.lists, weights)


@dataclass(frozen=True)
class RankFusion:
    """score = sum over the parts of weight / (60 + place in the part's list of unseen items).

    Items beyond the first 200 of every list score -inf and are not offered. Similar items come from
    the first part, or from the next one if the first part has none.
    """

    parts: tuple[WeightedScorer, ...]

    scoring: ClassVar[str] = "rank_fusion"

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

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array."""
        return self._fused(histories, lambda part, own: part.scorer.scores(user_indices, own))

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users who were not fitted, float32[len(histories), items]."""
        return self._fused(histories, lambda part, own: part.scorer.fold_in(own))

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` most similar other items of each, by the first part that knows any."""
        ids, values = self.parts[0].scorer.similar_items(item_indices, n)
        for part in self.parts[1:]:
            blank = np.flatnonzero((ids == NO_ITEM).all(axis=1))
            if len(blank) and part.needs_history:
                ids[blank], values[blank] = part.scorer.similar_items(item_indices[blank], n)
        return ids, values

    def _fused(
        self, histories: Histories, scores_of: Callable[[WeightedScorer, Histories], Float32]
    ) -> Float32:
        fused = None
        known = histories.lists.lengths > 0
        for part in self.parts:
            scores = scores_of(part, part.histories(histories))
            # A score of zero means that the part has no score for the item.
            scores[scores == 0] = -np.inf
            hide(scores, histories.lists)
            if part.needs_history:
                scores[~known] = -np.inf
            if fused is None:
                fused = np.zeros_like(scores)
            ids, _ = rank(scores, DEPTH)
            row, place = np.nonzero(ids != NO_ITEM)
            fused[row, ids[row, place]] += np.float32(part.weight) / (_OFFSET + 1 + place)
        if fused is None:
            raise ValueError("there is nothing to fuse: give at least one part")
        fused[fused == 0] = -np.inf
        return fused
