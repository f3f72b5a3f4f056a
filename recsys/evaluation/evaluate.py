"""Evaluates a fitted model on interactions that it has not seen, and compares two models.

Belongs here: full rankings of test users, averages, intervals. Does not belong here: the definition
of metrics (`metrics`), the choice of test data (`split`). All items are ranked: sampled negatives
can reverse the order of models (Krichene, Rendle, "On Sampled Metrics for Item Recommendation", KDD
2020).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation import beyond_accuracy, metrics
from recsys.matrix import InteractionMatrix
from recsys.recommender import Recommender
from recsys.scoring.ranking import Float64, Int64, ItemLists, batches, hide, rank

# The number of users whose lists determine the diversity, which costs as much as all of ranking.
_DIVERSITY_OF = 1_000


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    `metrics` has, for each k: precision, recall, f1, hit_rate, ndcg, map, mrr, novelty (bits), each
    the mean over users, and coverage (share of items offered to anyone), named `ndcg@10`; also
    diversity (of about a thousand of the users), popularity_lift and gini, see `beyond_accuracy`;
    and `auc`. All are NaN where no user could be evaluated. `user_indices` int64[users] are the
    evaluated users; `user_ndcg` float64[users, len(ks)] is their NDCG. `item_tests` int64[items]
    says how many of them have each item in test, `item_hits` int64[items, len(ks)] how many found
    it among their first k. `users_without_train` had test items but nothing to learn from, and were
    left out.
    """

    model: str
    ks: tuple[int, ...]
    metrics: Mapping[str, float]
    user_indices: Int64
    user_ndcg: Float64
    item_tests: Int64
    item_hits: Int64
    users_without_train: int

    def ndcg(self, k: int) -> Float64:
        """NDCG at `k` of each evaluated user, float64[users]; raises ValueError for another k."""
        return self.user_ndcg[:, self._place(k)]

    def item_hits_at(self, k: int) -> Int64:
        """How many users found each item among the first `k`, int64[items]; ValueError for another
        k.
        """
        return self.item_hits[:, self._place(k)]

    def _place(self, k: int) -> int:
        if k not in self.ks:
            raise ValueError(f"{self.model} was evaluated at {self.ks}, not at {k}: add it to ks")
        return self.ks.index(k)


def evaluate(
    model: Recommender,
    train: InteractionMatrix,
    test: InteractionMatrix,
    ks: Sequence[int] = (10, 20, 50),
) -> Evaluation:
    """Rank all items that each test user has not in train, and compare with test.

    `model` must be fitted on `train.csr`. Memory is bounded by a batch of users, whatever their
    number. Raises ValueError if the id maps differ, if a pair is in both, or a k is below 1.
    """
    _check_comparable(train, test)
    if not ks or min(ks) < 1:
        raise ValueError(f"ks is {tuple(ks)}: give cutoffs of 1 and more")
    seen, truth = ItemLists.of(train.csr), ItemLists.of(test.csr)
    evaluated = np.flatnonzero((truth.lengths > 0) & (seen.lengths > 0))
    users, items = train.csr.shape
    users_of_item = np.bincount(seen.indices, minlength=items)
    information = metrics.self_information(users_of_item, users)

    sums: dict[str, float] = defaultdict(float)
    exposures = {k: np.zeros(items, dtype=np.int64) for k in ks}
    popularity = {k: np.zeros(len(evaluated)) for k in ks}
    step = max(1, len(evaluated) // _DIVERSITY_OF)
    some = [np.empty((0, max(ks)), dtype=np.int32)]
    user_ndcg = np.zeros((len(evaluated), len(ks)))
    item_tests = np.bincount(truth.take(evaluated).indices, minlength=items)
    item_hits = np.zeros((items, len(ks)), dtype=np.int64)
    for rows in batches(len(evaluated), items):
        of_batch = evaluated[rows]
        scores = model.scores(of_batch, train.csr[of_batch])
        hide(scores, seen.take(of_batch))
        ids, _ = rank(scores, max(ks), model.places)
        wanted = truth.take(of_batch)
        hits = metrics.Hits.of(ids, wanted, items)
        sums["auc"] += float(metrics.auc(scores, wanted).sum())
        for at, k in enumerate(ks):
            of_users = {name: metric(hits, k) for name, metric in metrics.AT_K.items()}
            of_users["novelty"] = metrics.novelty(ids, information, k)
            user_ndcg[rows, at] = of_users["ndcg"]
            exposures[k] += np.bincount(ids[:, :k][ids[:, :k] >= 0], minlength=items)
            popularity[k][rows] = beyond_accuracy.popularity_of_lists(ids, users_of_item, k)
            item_hits[:, at] += np.bincount(ids[:, :k][hits.top(k)], minlength=items)
            for name, values in of_users.items():
                sums[f"{name}@{k}"] += float(values.sum())
        some.append(ids[-rows.start % step :: step])
    had = beyond_accuracy.popularity_of_histories(seen.take(evaluated), users_of_item)
    varied = np.concatenate(some)
    besides = {
        "coverage": lambda k: float((exposures[k] > 0).mean()),
        "diversity": lambda k: float(beyond_accuracy.diversity(varied, train.csr, k).mean()),
        "popularity_lift": lambda k: beyond_accuracy.popularity_lift(popularity[k], had),
        "gini": lambda k: beyond_accuracy.gini(exposures[k]),
    }
    return Evaluation(
        model=model.name,
        ks=tuple(ks),
        metrics=_averages(sums, besides, ks, len(evaluated)),
        user_indices=evaluated,
        user_ndcg=user_ndcg,
        item_tests=item_tests,
        item_hits=item_hits,
        users_without_train=int(np.count_nonzero((truth.lengths > 0) & (seen.lengths == 0))),
    )


def _averages(
    sums: Mapping[str, float],
    besides: Mapping[str, Callable[[int], float]],
    ks: Sequence[int],
    users: int,
) -> dict[str, float]:
    """The means over users, and what is computed of all lists at once."""
    if users == 0:
        names = [f"{name}@{k}" for name in (*metrics.AT_K, "novelty", *besides) for k in ks]
        return dict.fromkeys(["auc", *names], math.nan)
    means = {name: total / users for name, total in sums.items()}
    return means | {f"{name}@{k}": of(k) for name, of in besides.items() for k in ks}


def _check_comparable(train: InteractionMatrix, test: InteractionMatrix) -> None:
    if not (train.users.equals(test.users) and train.items.equals(test.items)):
        raise ValueError(
            "train and test number their users or items differently: build both by"
            " temporal_split, or pass train's id maps to InteractionMatrix.from_table"
        )
    overlap = train.csr.multiply(test.csr).nnz
    if overlap:
        raise ValueError(
            f"{overlap} test pairs are in train too and would count as misses, since seen items"
            " are not recommended: take them out of test, as temporal_split does"
        )


@dataclass(frozen=True)
class Difference:
    """Mean over users of candidate minus baseline, and its confidence interval [low, high]."""

    mean: float
    low: float
    high: float

    @property
    def candidate_wins(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0


def bootstrap_difference(
    candidate: Evaluation,
    baseline: Evaluation,
    k: int = 10,
    *,
    samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Difference:
    """A paired percentile bootstrap of the difference of two models' NDCG at `k`.

    Users are drawn with replacement `samples` times, both models on the same users, so that what is
    hard for both cancels out (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
    13). The seed fixes the result.

    Raises ValueError if the two were evaluated on different users, on none, or not at `k`.
    """
    if not np.array_equal(candidate.user_indices, baseline.user_indices):
        raise ValueError(
            f"{candidate.model} and {baseline.model} were evaluated on different users: evaluate"
            " both on the same split"
        )
    gain = candidate.ndcg(k) - baseline.ndcg(k)
    if len(gain) == 0:
        raise ValueError("no user could be evaluated: choose a cut that leaves users on both sides")
    random = np.random.default_rng(seed)
    means = np.empty(samples)
    for rows in batches(samples, len(gain)):
        drawn = random.integers(len(gain), size=(rows.stop - rows.start, len(gain)))
        means[rows] = gain[drawn].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = _quantiles(means, tail, 1 - tail)
    return Difference(mean=float(gain.mean()), low=low, high=high)


def _quantiles(values: NDArray[np.float64], low: float, high: float) -> tuple[float, float]:
    return float(np.quantile(values, low)), float(np.quantile(values, high))
