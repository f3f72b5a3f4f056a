"""The list of all models by name.

Belongs here: the list. A new model is a module in this folder and a line here. The imports are
light: a model imports SciPy, implicit, scikit-learn, JAX or Spark when it is fitted. Does not
belong here: which model is best for given data (`evaluation.best`).
"""

from collections.abc import Callable, Mapping, Sequence

from recsys.models.als import ALS
from recsys.models.blend import Blend
from recsys.models.content import Content
from recsys.models.deep.gru4rec import GRU4Rec
from recsys.models.deep.sasrec import SASRec
from recsys.models.deep.two_tower import TwoTowers
from recsys.models.ease import EASE
from recsys.models.graph_filter import GraphFilter
from recsys.models.hybrid import Hybrid
from recsys.models.ials import FrequencyScaledALS
from recsys.models.item_neighbours import BM25Neighbours, CosineNeighbours, TfIdfNeighbours
from recsys.models.pairwise import BPR, LogisticMF
from recsys.models.popularity import DecayedPopularity, Popularity
from recsys.models.spark_als import SparkALS
from recsys.recommender import ScorerRecommender

Parameters = Mapping[str, int | float | str]

COLLABORATIVE: Mapping[str, type[ScorerRecommender]] = {
    model.name: model
    for model in (
        Popularity,
        DecayedPopularity,
        CosineNeighbours,
        TfIdfNeighbours,
        BM25Neighbours,
        ALS,
        FrequencyScaledALS,
        BPR,
        LogisticMF,
        EASE,
        GraphFilter,
        Blend,
    )
}
FROM_TEXT: Mapping[str, Callable[..., ScorerRecommender]] = {
    Content.name: Content,
    Hybrid.name: Hybrid,
    TwoTowers.name: TwoTowers,
}
"""Read texts of items. Two towers need the extra `deep`."""
DISTRIBUTED: Mapping[str, type[ScorerRecommender]] = {SparkALS.name: SparkALS}
"""Trained on a cluster; needs an extra, and is made only where it is asked for by name."""
SEQUENTIAL: Mapping[str, type[ScorerRecommender]] = {
    model.name: model for model in (SASRec, GRU4Rec)
}
"""Learn from the order of interactions: `fit` needs times, and the extra `deep`."""
BASELINES = (Popularity.name, DecayedPopularity.name)


def new_model(
    name: str, parameters: Parameters | None = None, texts: Sequence[str | None] | None = None
) -> ScorerRecommender:
    """Create an unfitted model. `texts` as for Content.

    Raises ValueError for an unknown name, for parameters that the model does not take, and for a
    model of texts without texts.
    """
    from_matrix = {**COLLABORATIVE, **SEQUENTIAL, **DISTRIBUTED}
    known = (*from_matrix, *FROM_TEXT)
    if name not in known:
        raise ValueError(f"no model is called {name!r}: {', '.join(known)}")
    try:
        if name in from_matrix:
            return from_matrix[name](**(parameters or {}))
        if texts is None:
            raise ValueError(f"{name} reads texts of items, and there are none: give them")
        return FROM_TEXT[name](texts, **(parameters or {}))
    except TypeError as error:
        raise ValueError(f"{name} does not take {dict(parameters or {})}: {error}") from error
