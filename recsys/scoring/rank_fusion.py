"""Rank fusion: a scorer that ranks items by their positions in the lists of other scorers.

Belongs here: reciprocal rank fusion of other scorers. NumPy only, because a consumer runs this code
too. Source: Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
individual Rank Learning Methods" (SIGIR 2009).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import NO_ITEM, Float32, hide, rank
from recsys.scoring.weighted_parts import WeightedParts, WeightedScorer

# The number of positions that are used of a list: later ones do not change the top.
DEPTH = 200
# The k of the paper.
_OFFSET = 60


@dataclass(frozen=True)
class RankFusion(WeightedParts):
    """score = sum over the parts of weight / (60 + place in the part's list of unseen items).

    Items beyond the first 200 of every list score -inf and are not offered. Similar items come from
    the first part, or from the next one if the first part has none.
    """

    scoring: ClassVar[str] = "rank_fusion"

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array."""
        return self._fused(histories, lambda part, own: part.scorer.scores(user_indices, own))

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users who were not fitted, float32[len(histories), items]."""
        return self._fused(histories, lambda part, own: part.scorer.fold_in(own))

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
