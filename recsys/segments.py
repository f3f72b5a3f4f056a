"""How good a model is for whom: metrics by groups of users, with bootstrap intervals.

Belongs here: the grouping and the intervals. Does not belong here: the metrics themselves.
"""

from dataclasses import dataclass

import numpy as np

from recsys.evaluation import Evaluation
from recsys.matrix import InteractionMatrix
from recsys.ranking import Float64

_SAMPLES = 1000


@dataclass(frozen=True)
class Group:
    """Users who have something in common, their mean NDCG and its 95 % interval [low, high]."""

    label: str
    users: int
    mean: float
    low: float
    high: float


def by_activity(
    evaluation: Evaluation, train: InteractionMatrix, k: int, groups: int = 5, seed: int = 0
) -> list[Group]:
    """NDCG at `k` by how many items users have in train: groups of about equal size, rising.

    Fewer groups where many users have equally many. Empty where nobody was judged.
    """
    items = np.diff(train.csr.indptr)[evaluation.user_indices]
    if len(items) == 0:
        return []
    edges = np.unique(np.quantile(items, np.linspace(0, 1, groups + 1)[1:-1]).astype(int))
    group = np.searchsorted(edges, items, side="left")
    values = evaluation.ndcg(k)
    return [
        _group(items[group == number], values[group == number], seed)
        for number in range(len(edges) + 1)
        if (group == number).any()
    ]


def _group(items: Float64, values: Float64, seed: int) -> Group:
    low, high = interval_of_mean(values, seed=seed)
    least, most = int(items.min()), int(items.max())
    label = f"{least}" if least == most else f"{least}-{most}"
    return Group(label, len(values), float(values.mean()), low, high)


def interval_of_mean(
    values: Float64, *, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """A percentile bootstrap interval of the mean over users (Efron, Tibshirani 1993)."""
    random = np.random.default_rng(seed)
    # The mean of a resample needs only how often each user was drawn.
    drawn = random.multinomial(len(values), np.full(len(values), 1 / len(values)), size=_SAMPLES)
    means = drawn @ values / len(values)
    tail = (1 - confidence) / 2
    return float(np.quantile(means, tail)), float(np.quantile(means, 1 - tail))
