"""Metrics of ranked lists: a value for each user.

Belongs here: definitions, as array functions of a batch of users. Does not belong here: models,
splits, averages over users (`evaluation`).

Lists have K places, and every `k` <= K. A place without an item is not a hit. All results are
float64[users].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.scoring.ranking import (
    CACHED_CELLS,
    NO_ITEM,
    Float32,
    Float64,
    Int32,
    Int64,
    ItemLists,
    batches,
)

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Hits:
    """The places of test items in the ranked lists of a batch of users.

    `found` is bool[users, K]: whether the item at place r is a test item of the user. `relevant` is
    int64[users] >= 1: the number of the user's test items, in the list or not.
    """

    found: Bool
    relevant: Int64

    @classmethod
    def of(cls, ids: Int32, truth: ItemLists, items: int) -> "Hits":
        """Compare the ranked `ids` int32[users, K] of `items` with the test items of each user."""
        wanted = truth.row_of_each() * items + truth.indices
        offered = np.arange(len(ids))[:, None] * items + ids
        # Ascending, because rows and the items within rows are; not empty, see `relevant`.
        place = np.minimum(np.searchsorted(wanted, offered), len(wanted) - 1)
        return cls((wanted[place] == offered) & (ids != NO_ITEM), truth.lengths)

    def top(self, k: int) -> Bool:
        """bool[users, k], the first k places."""
        return self.found[:, :k]

    def count(self, k: int) -> Int64:
        """int64[users], hits among the first k."""
        counts: Int64 = np.count_nonzero(self.top(k), axis=1)
        return counts


def precision(hits: Hits, k: int) -> Float64:
    """Share of the k places that are hits."""
    return _float64(hits.count(k) / k)


def recall(hits: Hits, k: int) -> Float64:
    """Share of the user's test items among the first k."""
    return _float64(hits.count(k) / hits.relevant)


def f1(hits: Hits, k: int) -> Float64:
    """Harmonic mean of precision and recall, 0 where both are."""
    return _float64(2 * hits.count(k) / (k + hits.relevant))


def hit_rate(hits: Hits, k: int) -> Float64:
    """1 if any of the first k is a hit."""
    return _float64(hits.count(k) > 0)


def ndcg(hits: Hits, k: int) -> Float64:
    """Discounted gain 1 / log2(place + 1) of the hits, over that of an ideal list.

    The ideal list starts with min(k, relevant) hits. Jarvelin, Kekalainen, "Cumulated gain-based
    evaluation of IR techniques" (TOIS 2002), for relevance 0 or 1.
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(hits.relevant, k) - 1]
    return _float64(hits.top(k) @ discount / ideal)


def average_precision(hits: Hits, k: int) -> Float64:
    """Precision at each hit among the first k, summed, over min(k, relevant); its mean is MAP."""
    precision_at = np.cumsum(hits.top(k), axis=1) / np.arange(1, k + 1)
    return _float64((precision_at * hits.top(k)).sum(axis=1) / np.minimum(hits.relevant, k))


def reciprocal_rank(hits: Hits, k: int) -> Float64:
    """1 / place of the first hit among the first k, 0 without one; its mean is MRR."""
    first = np.argmax(hits.top(k), axis=1) + 1
    return _float64(np.where(hits.count(k) > 0, 1 / first, 0.0))


def novelty(ids: Int32, information: Float64, k: int) -> Float64:
    """Mean self-information of the first k items, in bits; 0 for an empty list.

    `information` is float64[items], see `self_information`. Zhou et al., "Solving the apparent
    diversity-accuracy dilemma of recommender systems" (PNAS 2010).
    """
    top = ids[:, :k]
    offered = top != NO_ITEM
    bits = np.where(offered, information[np.where(offered, top, 0)], 0.0)
    return _float64(bits.sum(axis=1) / np.maximum(offered.sum(axis=1), 1))


def self_information(users_of_item: Int64, users: int) -> Float64:
    """-log2 of the share of users who have each item; an item of no one counts as of one user."""
    return _float64(-np.log2(np.maximum(users_of_item, 1) / max(users, 1)))


def auc(scores: Float32, truth: ItemLists) -> Float64:
    """Chance that a test item scores above an item that is neither seen nor a test item.

    `scores` is float32[users, items] with -inf for seen items. Ties count half (the Mann-Whitney
    statistic). 0.5 for a user to whom no other item is left.
    """
    others = np.where(np.isneginf(scores), np.float32(np.nan), scores)
    row = truth.row_of_each()
    others[row, truth.indices] = np.nan
    others_left = np.count_nonzero(~np.isnan(others), axis=1)
    # Comparisons with NaN are false, so seen items and test items do not count below.
    won = np.empty(len(row))
    for of in batches(len(row), scores.shape[1], CACHED_CELLS):
        mine = scores[row[of], truth.indices[of], None]
        against = others[row[of]]
        won[of] = _count(against < mine) + 0.5 * _count(against == mine)
    wins = np.bincount(row, weights=won, minlength=len(scores))
    pairs = truth.lengths * others_left
    return np.where(pairs > 0, wins / np.maximum(pairs, 1), 0.5)


def _count(cells: Bool) -> Int64:
    """Count the true values of each row. On packed bits this is twice as fast as a sum."""
    counts: Int64 = np.bitwise_count(np.packbits(cells, axis=1)).sum(axis=1, dtype=np.int64)
    return counts


AT_K: Mapping[str, Callable[[Hits, int], Float64]] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "hit_rate": hit_rate,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
}


def _float64(values: ArrayLike) -> Float64:
    return np.asarray(values, dtype=np.float64)
