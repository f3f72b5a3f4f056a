"""Metrics of a model by groups of users and items, with bootstrap intervals.

Belongs here: the grouping and the intervals. Does not belong here: the metrics themselves.
"""

from dataclasses import dataclass

import numpy as np

from recsys.evaluation.evaluate import Evaluation
from recsys.matrix import InteractionMatrix
from recsys.scoring.ranking import Float64, Int64, batches

_SAMPLES = 1000


@dataclass(frozen=True)
class Group:
    """A group of users, or of tests of items: their number, their mean of a metric and its 95 %
    interval [low, high].
    """

    label: str
    size: int
    mean: float
    low: float
    high: float


def by_activity(
    evaluation: Evaluation, train: InteractionMatrix, k: int, groups: int = 5, seed: int = 0
) -> list[Group]:
    """NDCG at `k` of groups of users, by the number of items that they have in train.

    Groups are of about equal size, in rising order. There are fewer groups if many users have the
    same number of items, and none if no user was evaluated.
    """
    items = np.diff(train.csr.indptr)[evaluation.user_indices]
    values = evaluation.ndcg(k)
    found = []
    for member in _members(items, np.ones(len(items)), groups):
        low, high = interval_of_mean(values[member], seed=seed)
        mean = float(values[member].mean())
        found.append(Group(_label(items[member]), int(member.sum()), mean, low, high))
    return found


def by_item_age(
    evaluation: Evaluation, ages: Float64, k: int, groups: int = 5, seed: int = 0
) -> list[Group]:
    """Share of the test interactions that are in the first `k` places, by the age of the item.

    `ages` float64[items] is in days at the cut, see `split.ages_of_items`. Groups have about the
    same number of test interactions, in order of age. The bootstrap draws items, because all
    interactions with one item have the same age. Empty if no user was evaluated.
    """
    tested = evaluation.item_tests > 0
    days = np.floor(ages[tested]).astype(np.int64)
    tests, hits = evaluation.item_tests[tested], evaluation.item_hits_at(k)[tested]
    found = []
    for member in _members(days, tests.astype(np.float64), groups):
        mine, of = hits[member].astype(np.float64), tests[member].astype(np.float64)
        low, high = interval_of_ratio(mine, of, seed=seed)
        share = float(mine.sum() / of.sum())
        found.append(Group(_label(days[member]), int(of.sum()), share, low, high))
    return found


def interval_of_mean(
    values: Float64, *, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """A percentile bootstrap interval of the mean over users (Efron, Tibshirani 1993)."""
    return interval_of_ratio(values, np.ones(len(values)), confidence=confidence, seed=seed)


def interval_of_ratio(
    parts: Float64, wholes: Float64, *, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The same for the sum of `parts` divided by that of `wholes`; both are drawn together."""
    random = np.random.default_rng(seed)
    even = np.full(len(parts), 1 / len(parts))
    ratios = np.empty(_SAMPLES)
    for rows in batches(_SAMPLES, len(parts)):
        # The sums of a resample need only the number of times that each pair was drawn.
        drawn = random.multinomial(len(parts), even, size=rows.stop - rows.start)
        ratios[rows] = (drawn @ parts) / (drawn @ wholes)
    tail = (1 - confidence) / 2
    return float(np.quantile(ratios, tail)), float(np.quantile(ratios, 1 - tail))


def _members(values: Int64, weights: Float64, groups: int) -> list[np.ndarray]:
    """Masks of groups of about equal weight, in rising order; equal values share a group."""
    if len(values) == 0:
        return []
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    cuts = np.searchsorted(reached, np.arange(1, groups) / groups)
    edges = np.unique(values[order][cuts])
    group = np.searchsorted(edges, values, side="left")
    masks = [group == number for number in range(len(edges) + 1)]
    return [mask for mask in masks if mask.any()]


def _label(values: Int64) -> str:
    least, most = int(values.min()), int(values.max())
    return f"{least}" if least == most else f"{least}-{most}"
