"""Why a user is offered an item: the items of the user's history that weighed most.

Belongs here: that question, for every scorer. NumPy and pyarrow only, because a consumer runs this
code too. Does not belong here: how a scorer computes scores.

An item weighs as much as the model would score the offered item for someone who has this item
alone, so that nothing about the model has to be known; for a linear filter that is what the item
adds. The fall of the score without the item (Tran, Ghazimatin, Saha Roy, "Counterfactual
Explanations for Neural Recommenders", SIGIR 2021) names items of other tastes with factors, which
fit a history of many alike items as well without one of them: in the world of the tests 47 % of the
first three of `ials` have the taste of the offered item, and 98 % by the score alone.
"""

import numpy as np
import pyarrow as pa

from recsys.scoring.consumer import LoadedModel
from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float32, ItemLists, batches

# Of a long history, only the newest items are tried, or the heaviest where times are unknown.
_MOST_TRIED = 200


def reasons(model: LoadedModel, user_id: str, item_id: str, n: int = 3) -> pa.Table:
    """The `n` items of the user that weighed most for the offered item: item_id and weight.

    The weight is the score of the offered item by this item alone, above the mean of all items.
    Items that do not speak for it are left out: there may be none, as for popularity, which offers
    everyone the same. Raises KeyError if the model does not know the user or the item, ValueError
    for n < 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}: ask for at least one item")
    user, item = model.user_index(user_id), model.item_index(item_id)
    history = model.histories.take(np.array([user]))
    tried = history.order()[-_MOST_TRIED:]
    weights = np.zeros(len(tried), dtype=np.float32)
    # Where no history matters, no item is a reason.
    nothing = _above_mean(model.scorer.fold_in(_each_alone(history, tried[:0], empty=1)), item)
    for rows in batches(len(tried), len(model.items)):
        alone = model.scorer.fold_in(_each_alone(history, tried[rows]))
        weights[rows] = _above_mean(alone, item) - nothing
    best = np.argsort(-weights, kind="stable")[:n]
    best = best[weights[best] > 0]
    items = model.items.take(pa.array(history.lists.indices[tried[best]]))
    return pa.table({"item_id": items, "weight": weights[best]})


def _above_mean(scores: Float32, item: int) -> Float32:
    """The score of the item above the mean of all; a score of -inf counts as the lowest, or 0."""
    there = np.isfinite(scores)
    lowest = scores.min(axis=1, keepdims=True, where=there, initial=0)
    filled = np.where(there, scores, lowest)
    above: Float32 = filled[:, item] - filled.mean(axis=1)
    return above


def _each_alone(history: Histories, entries: np.ndarray, empty: int = 0) -> Histories:
    """One row for each of the given entries of a history; and rows without items."""
    indptr = np.minimum(np.arange(len(entries) + empty + 1), len(entries))
    lists = ItemLists(indptr, history.lists.indices[entries])
    times = None if history.times is None else history.times[entries]
    return Histories(lists, history.weights[entries], times)
