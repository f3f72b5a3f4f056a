"""The hybrid: one list by rank fusion of collaborative, content and popular lists, for any user.

Belongs here: which models take part, and fitting them. The fusion of their lists is in
`recsys.scoring.rank_fusion`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.models.content import Content
from recsys.models.graph_filter import GraphFilter
from recsys.models.popularity import DecayedPopularity
from recsys.recommender import ScorerRecommender
from recsys.scoring.rank_fusion import RankFusion
from recsys.scoring.weighted_parts import WeightedScorer


class Hybrid(ScorerRecommender):
    """Rank fusion of the lists of the graph filter, of content and of (decayed) popularity.

    A user without interactions gets popular items; an item without interactions is recommended by
    its text. `texts` as for Content. The weights are those of the lists; a weight of zero leaves
    the list out. `width` is the graph filter's. Raises ValueError without interactions.
    """

    name = "hybrid"

    def __init__(
        self,
        texts: Sequence[str | None],
        *,
        width: int = 1000,
        content_weight: float = 0.2,
        popularity_weight: float = 0.1,
        seed: int = 0,
    ) -> None:
        if content_weight < 0 or popularity_weight <= 0:
            raise ValueError(
                "the hybrid needs content_weight >= 0 and popularity_weight > 0, since popularity"
                f" serves new users, but has {content_weight} and {popularity_weight}"
            )
        self._texts, self._width, self._seed = texts, width, seed
        self._content_weight, self._popularity_weight = content_weight, popularity_weight

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """The constructor's parameters without the texts, which are data."""
        return {
            "width": self._width,
            "content_weight": self._content_weight,
            "popularity_weight": self._popularity_weight,
            "seed": self._seed,
        }

    def _fit(self, user_items: Any) -> None:
        models: list[tuple[ScorerRecommender, float]] = [
            (GraphFilter(width=self._width, seed=self._seed), 1.0),
            (Content(self._texts), self._content_weight),
            (DecayedPopularity(), self._popularity_weight),
        ]
        parts = [
            WeightedScorer(
                scorer=model.fit(user_items).scorer,
                weight=weight,
                weight_exponent=model.weight_exponent,
                needs_history=not isinstance(model, DecayedPopularity),
            )
            for model, weight in models
            if weight > 0
        ]
        self._scorer = RankFusion(tuple(parts))
