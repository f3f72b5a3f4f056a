"""The blend: two models whose scores are brought to one scale and added.

Belongs here: which models take part, their scale, and fitting them. The sum is in
`recsys.scoring.weighted_sum`. `hybrid` combines models by their ranks instead, which suits models
whose scores say nothing beyond an order.
"""

from collections.abc import Mapping
from typing import Any

from recsys.models.als import ALS
from recsys.models.ease import EASE
from recsys.models.graph_filter import GraphFilter
from recsys.models.ials import FrequencyScaledALS
from recsys.models.item_neighbours import BM25Neighbours, CosineNeighbours, TfIdfNeighbours
from recsys.models.numerics.spread import mean_spreads
from recsys.models.pairwise import BPR
from recsys.models.popularity import DecayedPopularity
from recsys.recommender import ScorerRecommender
from recsys.scoring.weighted_parts import WeightedScorer
from recsys.scoring.weighted_sum import WeightedSum

BLENDED: Mapping[str, type[ScorerRecommender]] = {
    model.name: model
    for model in (
        GraphFilter,
        FrequencyScaledALS,
        ALS,
        EASE,
        BPR,
        CosineNeighbours,
        TfIdfNeighbours,
        BM25Neighbours,
        DecayedPopularity,
    )
}
# What differs from a model's own defaults, because it is best for the sum: chosen on slices of
# Gowalla's training half, see docs/recommenders.md.
_DEFAULTS: Mapping[str, Mapping[str, float]] = {
    GraphFilter.name: {"width": 1200, "low_pass_weight": 1.2},
    FrequencyScaledALS.name: {"factors": 256, "regularization": 0.05},
}
_BASE, _ADDED = "base_", "added_"


class Blend(ScorerRecommender):
    """score = score of `base` / its spread + `weight` * score of `added` / its spread.

    The spread is the standard deviation of a user's scores over all items, as a mean over users.
    `base` and `added` are names in `BLENDED`. A parameter of one of them has its name and the
    prefix `base_` or `added_`, such as `added_factors`. The seeds of the models fix the bytes.
    Raises ValueError as the two models do, and for two models that are the same.
    """

    name = "blend"

    def __init__(
        self,
        *,
        base: str = GraphFilter.name,
        added: str = FrequencyScaledALS.name,
        weight: float = 0.6,
        **parameters: float | str,
    ) -> None:
        if base == added or not {base, added} <= BLENDED.keys():
            raise ValueError(
                f"the blend needs two models of {', '.join(BLENDED)}, but has {base!r} and"
                f" {added!r}"
            )
        if weight <= 0:
            raise ValueError(f"the blend needs weight > 0, but has {weight}")
        strange = [name for name in parameters if not name.startswith((_BASE, _ADDED))]
        if strange:
            raise TypeError(
                f"unexpected {', '.join(strange)}: parameters of its models begin with {_BASE} or"
                f" {_ADDED}"
            )
        self._base = _part(base, _BASE, parameters)
        self._added = _part(added, _ADDED, parameters)
        self._weight = weight

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """The two models, the weight, and all parameters of both models."""
        return {
            "base": self._base.name,
            "added": self._added.name,
            "weight": self._weight,
            **{f"{_BASE}{name}": value for name, value in self._base.parameters.items()},
            **{f"{_ADDED}{name}": value for name, value in self._added.parameters.items()},
        }

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender: the larger of both, since one is fitted after the other."""
        return max(part.bytes_needed(user_items) for part in (self._base, self._added))

    def _fit(self, user_items: Any) -> None:
        models = (self._base.fit(user_items), self._added.fit(user_items))
        spreads = mean_spreads([(model.scorer, model.histories(user_items)) for model in models])
        parts = [
            WeightedScorer(
                scorer=model.scorer,
                # A model that scores all items alike adds nothing, whatever its weight.
                weight=weight / spread if spread > 0 else 0.0,
                weight_exponent=model.weight_exponent,
                needs_history=not isinstance(model, DecayedPopularity),
            )
            for model, weight, spread in zip(models, (1.0, self._weight), spreads, strict=True)
        ]
        self._scorer = WeightedSum(tuple(parts))


def _part(model: str, prefix: str, parameters: Mapping[str, float | str]) -> ScorerRecommender:
    """An unfitted model with the parameters that have the prefix."""
    given = {
        name.removeprefix(prefix): value
        for name, value in parameters.items()
        if name.startswith(prefix)
    }
    return BLENDED[model](**{**_DEFAULTS.get(model, {}), **given})
