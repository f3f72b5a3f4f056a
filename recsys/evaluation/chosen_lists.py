"""What lists that are chosen by weights lose in hits, and gain in variety.

Belongs here: that measurement, on the split of an evaluation. Does not belong here: the choice
(`scoring.lists.choosing`), the definition of metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evaluation import beyond_accuracy, metrics
from recsys.matrix import InteractionMatrix
from recsys.recommender import ScorerRecommender
from recsys.scoring.lists.choosing import ItemTraits, Weights, choose, pool_size
from recsys.scoring.ranking import NO_ITEM, Float64, ItemLists, batches, hide, rank


@dataclass(frozen=True)
class ChosenLists:
    """The figures of the lists by some weights, at `k`: means over the users.

    `age_days` is the mean age of the items, NaN if no age is known; `creators` how many different
    creators a list has. `user_ndcg` float64[users] has the NDCG of each.
    """

    weights: Weights
    ndcg: float
    recall: float
    diversity: float
    coverage: float
    age_days: float
    creators: float
    user_ndcg: Float64


def measure_choices(  # noqa: PLR0917  (each is another thing)
    model: ScorerRecommender,
    train: InteractionMatrix,
    test: InteractionMatrix,
    choices: Sequence[Weights],
    traits: ItemTraits,
    k: int = 10,
    most_users: int = 2_000,
) -> list[ChosenLists]:
    """The figures of each of the choices, for the same users: all, or so many at even distances.

    `model` must be fitted on `train`. Raises ValueError if no user could be evaluated.
    """
    seen, truth = ItemLists.of(train.csr), ItemLists.of(test.csr)
    evaluated = np.flatnonzero((truth.lengths > 0) & (seen.lengths > 0))
    evaluated = evaluated[:: max(1, -(-len(evaluated) // most_users))]
    if len(evaluated) == 0:
        raise ValueError("no user could be evaluated: choose a cut that leaves users on both sides")
    items, pool = len(train.items), pool_size(k)
    lists: list[list[np.ndarray]] = [[] for _ in choices]
    for rows in batches(len(evaluated), items):
        users = evaluated[rows]
        scores = model.scores(users, train.csr[users])
        hide(scores, seen.take(users))
        ids, best = rank(scores, pool, model.places)
        for its, weights in zip(lists, choices, strict=True):
            chosen = choose(model.scorer, ids, best, k, weights, traits)
            picked = np.take_along_axis(ids, np.maximum(chosen, 0), axis=1)
            its.append(np.where(chosen >= 0, picked, NO_ITEM).astype(np.int32))
    wanted = truth.take(evaluated)
    return [
        _figures(weights, np.concatenate(its), wanted, train, traits, k)
        for its, weights in zip(lists, choices, strict=True)
    ]


def _figures(  # noqa: PLR0917  (each is another thing)
    weights: Weights,
    ids: np.ndarray,
    wanted: ItemLists,
    train: InteractionMatrix,
    traits: ItemTraits,
    k: int,
) -> ChosenLists:
    hits = metrics.Hits.of(ids, wanted, len(train.items))
    ndcg = metrics.AT_K["ndcg"](hits, k)
    there = ids != NO_ITEM
    ages = traits.age_days[ids[there]]
    known = np.isfinite(ages)
    creators = np.sort(np.where(there, traits.creators[np.maximum(ids, 0)], -1), axis=1)
    differs = np.diff(creators, axis=1, prepend=-1) != 0
    return ChosenLists(
        weights=weights,
        ndcg=float(ndcg.mean()),
        recall=float(metrics.AT_K["recall"](hits, k).mean()),
        diversity=float(beyond_accuracy.diversity(ids, train.csr, k).mean()),
        coverage=len(np.unique(ids[there])) / max(1, len(train.items)),
        age_days=float(ages[known].mean()) if known.any() else float("nan"),
        creators=float((differs & (creators >= 0)).sum(axis=1).mean()),
        user_ndcg=ndcg,
    )
