"""Recommenders: from user, item, weight rows to a published model that a consumer can load.

Belongs here: the interaction matrix, models behind one interface, evaluation, artifacts.
Does not belong here: Dagster, ClickHouse, contracts. Data comes in as Arrow, goes out as Arrow.

Names load on first use, so that `recsys.load` in a consumer's process imports NumPy and pyarrow
and nothing else; SciPy and implicit come in only with the matrix and the models that need them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.artifact import ArtifactError, promote, publish
    from recsys.consumer import LoadedModel, load
    from recsys.evaluation import Difference, Evaluation, bootstrap_difference, evaluate
    from recsys.matrix import InteractionMatrix
    from recsys.models.als import ALS
    from recsys.models.popularity import Popularity
    from recsys.recommendations import top_n
    from recsys.recommender import FactorRecommender, Recommender
    from recsys.split import Split, temporal_split

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
    "ArtifactError": "recsys.artifact",
    "Difference": "recsys.evaluation",
    "Evaluation": "recsys.evaluation",
    "FactorRecommender": "recsys.recommender",
    "InteractionMatrix": "recsys.matrix",
    "LoadedModel": "recsys.consumer",
    "Popularity": "recsys.models.popularity",
    "Recommender": "recsys.recommender",
    "Split": "recsys.split",
    "bootstrap_difference": "recsys.evaluation",
    "evaluate": "recsys.evaluation",
    "load": "recsys.consumer",
    "promote": "recsys.artifact",
    "publish": "recsys.artifact",
    "temporal_split": "recsys.split",
    "top_n": "recsys.recommendations",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'recsys' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
