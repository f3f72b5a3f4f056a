"""The cost of a model and the quality of its ranking, measured on one split.

Belongs here: the clock, the memory and the two figures that the public boards compare. Does not
belong here: the full set of metrics (`evaluation`).
"""

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evaluation import metrics
from recsys.matrix import InteractionMatrix
from recsys.recommender import Recommender
from recsys.scoring.ranking import ItemLists

LISTED = 20


@dataclass(frozen=True)
class Measurement:
    """`recall` and `ndcg` at 20, means over users with test items; all items ranked but those of

    train. `recommend_seconds` is for the top 20 of all users of train. `peak_memory_bytes` is that
    of the process since it started.
    """

    model: str
    recall: float
    ndcg: float
    fit_seconds: float
    recommend_seconds: float
    peak_memory_bytes: int

    def as_json(self) -> dict[str, float]:
        """The figures under their names on the boards."""
        return {
            f"recall@{LISTED}": self.recall,
            f"ndcg@{LISTED}": self.ndcg,
            "fit_seconds": self.fit_seconds,
            "recommend_seconds": self.recommend_seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
        }


def mean_of(measured: Sequence[Measurement]) -> Measurement:
    """The mean of each figure over the folds of a cross-validation; of memory the most."""
    first = measured[0]
    return Measurement(
        model=first.model,
        recall=float(np.mean([one.recall for one in measured])),
        ndcg=float(np.mean([one.ndcg for one in measured])),
        fit_seconds=float(np.mean([one.fit_seconds for one in measured])),
        recommend_seconds=float(np.mean([one.recommend_seconds for one in measured])),
        peak_memory_bytes=max(one.peak_memory_bytes for one in measured),
    )


def measure(model: Recommender, train: InteractionMatrix, test: InteractionMatrix) -> Measurement:
    """Fit on train, rank for all users, compare with test.

    Raises ValueError if no user has test items.
    """
    started = time.perf_counter()
    model.fit(train.csr, train.times)
    fitted = time.perf_counter()
    ids, _ = model.recommend(np.arange(train.csr.shape[0]), train.csr, LISTED)
    recommended = time.perf_counter()
    truth = ItemLists.of(test.csr)
    evaluated = np.flatnonzero(truth.lengths)
    if len(evaluated) == 0:
        raise ValueError("no user has test items: give a test file of the same users")
    hits = metrics.Hits.of(ids[evaluated], truth.take(evaluated), test.csr.shape[1])
    return Measurement(
        model=model.name,
        recall=float(metrics.recall(hits, LISTED).mean()),
        ndcg=float(metrics.ndcg(hits, LISTED).mean()),
        fit_seconds=fitted - started,
        recommend_seconds=recommended - fitted,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
