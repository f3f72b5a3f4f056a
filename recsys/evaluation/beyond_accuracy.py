"""What lists do besides finding test items: how varied, how popular, how evenly spread they are.

Belongs here: definitions, as array functions. Does not belong here: hits (`metrics`), averages over
all users (`evaluate`).
"""

from typing import Any

import numpy as np

from recsys.scoring.ranking import NO_ITEM, Float64, Int32, Int64, ItemLists, batches

# Of users x items: the rows of a batch are as long as there are users of items.
_CELLS = 2_000_000


def popularity_of_lists(ids: Int32, users_of_item: Int64, k: int) -> Float64:
    """Mean number of users of the first `k` items of each list, float64[lists]; 0 if empty."""
    top = ids[:, :k]
    offered = top != NO_ITEM
    users = np.where(offered, users_of_item[np.where(offered, top, 0)], 0)
    mean: Float64 = users.sum(axis=1) / np.maximum(offered.sum(axis=1), 1)
    return mean


def popularity_of_histories(histories: ItemLists, users_of_item: Int64) -> Float64:
    """Mean number of users of the items that each user has, float64[users]; 0 if none."""
    rows = histories.row_of_each()
    sums = np.bincount(rows, weights=users_of_item[histories.indices], minlength=len(histories))
    mean: Float64 = sums / np.maximum(histories.lengths, 1)
    return mean


def popularity_lift(offered: Float64, had: Float64) -> float:
    """By how much more popular the offered items are than those that the users had: .5 for half
    as much more, 0 for a model without popularity bias.

    Both are the mean popularity of each user's items, float64[users]. NaN without users.
    Source: Abdollahpouri et al., "The Unfairness of Popularity Bias in Recommendation" (RMSE
    workshop at RecSys 2019), the difference of group averages.
    """
    return float(offered.sum() / had.sum() - 1) if had.sum() > 0 else float("nan")


def gini(exposures: Int64) -> float:
    """How unevenly items are offered: 0 if all equally often, towards 1 if all lists are the same.

    `exposures` int64[items] is the number of lists that have each item. NaN without any.
    Source: Castells et al., "Novelty and Diversity in Recommender Systems" (Recommender Systems
    Handbook, 2015).
    """
    total = exposures.sum()
    if total == 0:
        return float("nan")
    rising = np.sort(exposures)
    count = len(rising)
    ranked = (2 * np.arange(1, count + 1) - count - 1) @ rising
    return float(ranked / (count * total))


def diversity(ids: Int32, user_items: Any, k: int) -> Float64:
    """One minus the mean cosine of all pairs of the first `k` items of each list, float64[lists].

    Items are compared by the users who have them, in the CSR `user_items`; an item that nobody has
    is like no other. 1 for a list of fewer than two items. Source: Ziegler et al., "Improving
    Recommendation Lists Through Topic Diversification" (WWW 2005), its intra-list similarity.
    """
    import scipy.sparse

    users, items = user_items.shape
    has = user_items.astype(np.float64)
    has.data[:] = 1
    length = np.sqrt(np.bincount(has.indices, minlength=items))
    has.data /= length[has.indices]
    of_items = has.T.tocsr()
    found = np.ones(len(ids))
    for rows in batches(len(ids), users, _CELLS):
        top = ids[rows, :k]
        row, place = np.nonzero(top != NO_ITEM)
        chosen = top[row, place]
        shape = (len(top), items)
        lists = scipy.sparse.csr_matrix((np.ones(len(row)), (row, chosen)), shape=shape)
        # |sum of unit vectors|^2 = their number + twice the sum of the cosines of all pairs.
        summed = lists @ of_items
        squares = np.asarray(summed.multiply(summed).sum(axis=1)).ravel()
        ones = np.bincount(row, weights=length[chosen] > 0, minlength=len(top))
        count = np.bincount(row, minlength=len(top))
        pairs = count * (count - 1)
        cosine = (squares - ones) / np.maximum(pairs, 1)
        found[rows] = np.where(pairs > 0, 1 - cosine, 1.0)
    return found
