"""Recommenders: from user, item, weight rows to a published model that a consumer can load.

Belongs here: the interaction matrix, models behind one interface, evaluation, artifacts.
Does not belong here: Dagster, ClickHouse, contracts. Data comes in as Arrow, goes out as Arrow.

Names load on first use, so that `recsys.load` in a consumer's process imports NumPy and pyarrow
and nothing else; SciPy and implicit come in only with the matrix and the models that need them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.evaluation.evaluate import Difference, Evaluation, bootstrap_difference, evaluate
    from recsys.evaluation.split import Split, temporal_split
    from recsys.matrix import InteractionMatrix
    from recsys.models.als import ALS
    from recsys.models.popularity import Popularity
    from recsys.recommender import FactorRecommender, Recommender
    from recsys.registry.artifact import ArtifactError, promote, publish
    from recsys.scoring.consumer import LoadedModel, load
    from recsys.scoring.recommendations import top_n

__all__ = [
    "ALS",
    "ArtifactError",
    "Difference",
    "Evaluation",
    "FactorRecommender",
    "InteractionMatrix",
    "LoadedModel",
    "Popularity",
    "Recommender",
    "Split",
    "bootstrap_difference",
    "evaluate",
    "load",
    "promote",
    "publish",
    "temporal_split",
    "top_n",
]

_HOME = {
    "ALS": "recsys.models.als",
    "ArtifactError": "recsys.registry.artifact",
    "Difference": "recsys.evaluation.evaluate",
    "Evaluation": "recsys.evaluation.evaluate",
    "FactorRecommender": "recsys.recommender",
    "InteractionMatrix": "recsys.matrix",
    "LoadedModel": "recsys.scoring.consumer",
    "Popularity": "recsys.models.popularity",
    "Recommender": "recsys.recommender",
    "Split": "recsys.evaluation.split",
    "bootstrap_difference": "recsys.evaluation.evaluate",
    "evaluate": "recsys.evaluation.evaluate",
    "load": "recsys.scoring.consumer",
    "promote": "recsys.registry.artifact",
    "publish": "recsys.registry.artifact",
    "temporal_split": "recsys.evaluation.split",
    "top_n": "recsys.scoring.recommendations",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'recsys' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
