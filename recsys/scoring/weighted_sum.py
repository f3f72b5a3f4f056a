"""A weighted sum: a scorer that adds the scores of other scorers.

Belongs here: the sum. Does not belong here: the weights, which bring the parts to one scale
(`models/blend`), and how parts are stored (`weighted_parts`). NumPy only, because a consumer runs
this code too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float32
from recsys.scoring.weighted_parts import WeightedParts, WeightedScorer


@dataclass(frozen=True)
class WeightedSum(WeightedParts):
    """score = sum over the parts of weight times the part's score.

    Similar items come from the first part, or from the next one if the first part has none.
    """

    scoring: ClassVar[str] = "weighted_sum"

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array."""
        return self._summed(histories, lambda part, own: part.scorer.scores(user_indices, own))

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users who were not fitted, float32[len(histories), items]."""
        return self._summed(histories, lambda part, own: part.scorer.fold_in(own))

    def _summed(
        self, histories: Histories, scores_of: Callable[[WeightedScorer, Histories], Float32]
    ) -> Float32:
        total = None
        unknown = histories.lists.lengths == 0
        for part in self.parts:
            scores = scores_of(part, part.histories(histories))
            scores *= np.float32(part.weight)
            if part.needs_history:
                scores[unknown] = 0
            if total is None:
                total = scores
            else:
                total += scores
        if total is None:
            raise ValueError("there is nothing to add: give at least one part")
        return total
