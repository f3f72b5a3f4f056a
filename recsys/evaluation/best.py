"""The best model for given interactions: chosen on a validation slice, then fitted on everything.

Belongs here: which candidates are tried, in which order, within which time, and the choice. Does
not belong here: the models (`recsys.models`), and the search for parameters of one of them
(`tuning`).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.evaluation import metrics
from recsys.interaction_file import hold_out
from recsys.matrix import InteractionMatrix
from recsys.models.blend import BLENDED
from recsys.models.catalog import Parameters, new_model
from recsys.recommender import ScorerRecommender
from recsys.scoring.ranking import Float32, Int32, Int64, ItemLists, batches, hide, rank

VALIDATED_AT = 20
DEFAULT_SECONDS = 120.0
# Of users x items: bounds the time of a validation, not its memory.
_VALIDATED_CELLS = 60_000_000
_FEWEST_USERS = 20
_SAMPLED_FROM = 2_000_000
_SAMPLE = 16
_BLEND_OF_BEST = 3
_BLEND_WEIGHTS = (0.3, 0.6, 1.0)

CANDIDATES: Sequence[tuple[str, Parameters]] = (
    ("popularity", {}),
    ("popularity_decayed", {}),
    ("item_cosine", {}),
    ("graph_filter", {"width": 1200, "low_pass_weight": 1.2}),
    ("ials", {"factors": 256, "regularization": 0.05}),
    ("als", {}),
    ("ease", {}),
    ("item_tfidf", {}),
    ("item_bm25", {}),
    ("item_bm25", {"length": 0.0}),
    ("ease", {"regularization": 40.0}),
    ("ease", {"regularization": 1000.0}),
    ("ials", {"regularization": 0.3, "exponent": 1.0}),
    ("ials", {"factors": 32, "regularization": 3.0}),
    ("als", {"factors": 32}),
    ("als", {"factors": 128}),
    ("bpr", {}),
    ("lmf", {"factors": 16, "regularization": 5.0, "iterations": 60}),
)
"""In the order in which they are tried: first those that lead on large data, so that a short budget
ends with them."""


@dataclass(frozen=True)
class TriedModel:
    """A candidate, its NDCG@20 on the slice (None if there is none, for `reason`), and the seconds
    that its fit took; of a blend, the fits of both of its models.
    """

    model: str
    parameters: Parameters
    ndcg: float | None
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Choice:
    """The chosen model with all its parameters, why it was chosen, and all that was tried."""

    model: str
    parameters: Parameters
    reason: str
    tried: Sequence[TriedModel]


@dataclass
class _Trials:
    """The state of a search: what was tried, and the models that are still there for blends."""

    train: Any
    truth: ItemLists
    users: Int64
    tried: list[TriedModel] = field(default_factory=list)
    fitted: list[tuple[TriedModel, ScorerRecommender]] = field(default_factory=list)
    """The best three, the best first."""
    blended: list[tuple[TriedModel, TriedModel]] = field(default_factory=list)

    def best(self) -> TriedModel:
        """The best so far; the earlier among equals."""
        return max(self.tried, key=lambda each: -1.0 if each.ndcg is None else each.ndcg)

    def keep(self, tried: TriedModel, model: ScorerRecommender) -> None:
        """Keep a fitted model for blends; of each name the best, and the best three of all.

        The others are let go: a dense model of 20,000 items has 1.6 GB.
        """
        if model.name not in BLENDED:
            return
        ranked = sorted([*self.fitted, (tried, model)], key=lambda each: -(each[0].ndcg or 0.0))
        best_of_name = {each[1].name: each for each in reversed(ranked)}
        best = [each for each in ranked if each is best_of_name[each[1].name]]
        self.fitted = best[:_BLEND_OF_BEST]


class Best(ScorerRecommender):
    """The candidate that ranks a slice of each user's items best, fitted on all interactions.

    A random `share` of each user's items is the slice. All candidates and blends of the best three
    are tried, as long as the remaining time of `seconds` suffices to fit the best one again; so on
    large data, the choice can depend on the machine. On data for which there is time enough, a
    seed gives one choice. `choice` says after the fit what was chosen. Where fewer than twenty
    users have two items, nothing can be validated, and popularity is chosen.

    `fit` raises ValueError for a matrix without interactions.
    """

    name = "best"

    def __init__(
        self, *, seconds: float = DEFAULT_SECONDS, share: float = 0.1, seed: int = 0
    ) -> None:
        if seconds <= 0 or not 0 < share < 1:
            raise ValueError(
                f"best needs seconds > 0 and a share between 0 and 1, but has {seconds} and {share}"
            )
        self._seconds, self._share, self._seed = seconds, share, seed
        self._choice: Choice | None = None

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return {"seconds": self._seconds, "share": self._share, "seed": self._seed}

    @property
    def choice(self) -> Choice:
        """What was chosen; raises RuntimeError before `fit`."""
        if self._choice is None:
            raise RuntimeError("best has not chosen yet: call fit(matrix.csr) first")
        return self._choice

    def _fit(self, user_items: Any) -> None:
        self._choice = choose(user_items, seconds=self._seconds, share=self._share, seed=self._seed)
        model = new_model(self._choice.model, self._choice.parameters).fit(user_items)
        self.weight_exponent, self._scorer = model.weight_exponent, model.scorer


def choose(
    user_items: Any,
    *,
    seconds: float = DEFAULT_SECONDS,
    share: float = 0.1,
    seed: int = 0,
    candidates: Sequence[tuple[str, Parameters]] = CANDIDATES,
) -> Choice:
    """Try candidates and blends of the best on a slice of a CSR of weights; see `Best`.

    Raises ValueError for a matrix without interactions.
    """
    if user_items.nnz == 0:
        users, items = user_items.shape
        raise ValueError(
            f"best cannot learn from {users} users x {items} items without interactions: widen"
            " the data window"
        )
    began = time.perf_counter()
    trials = _prepared(user_items, share, seed)
    if len(trials.users) < _FEWEST_USERS:
        reason = f"only {len(trials.users)} users have two items, so nothing can be validated"
        return Choice("popularity", new_model("popularity").parameters, reason, ())
    for name, parameters in candidates:
        left = seconds - (time.perf_counter() - began)
        if trials.tried and left < trials.best().seconds:
            trials.tried.append(TriedModel(name, parameters, None, reason="no time was left"))
            continue
        _try(trials, name, parameters, left)
        if name == "ials":
            # At once, since they cost no fit: on large data there may be no time later.
            _try_blends(trials, began + seconds)
    _try_blends(trials, began + seconds)
    best = trials.best()
    if best.ndcg is None:
        raise ValueError(f"no candidate could be fitted: {trials.tried[-1].reason}")
    reason = f"NDCG@{VALIDATED_AT} {best.ndcg:.4f} on {len(trials.users):,} users of the slice"
    return Choice(best.model, best.parameters, reason, tuple(trials.tried))


def _prepared(user_items: Any, share: float, seed: int) -> _Trials:
    users, items = (pa.array(np.arange(count)).cast(pa.string()) for count in user_items.shape)
    pairs = hold_out(InteractionMatrix(user_items, users, items), share, seed)
    truth = ItemLists.of(pairs.test.csr)
    validated = np.flatnonzero(truth.lengths)
    most = max(_FEWEST_USERS, _VALIDATED_CELLS // max(1, user_items.shape[1]))
    if len(validated) > most:
        drawn = np.random.default_rng(seed).choice(validated, most, replace=False)
        validated = np.sort(drawn)
    return _Trials(pairs.train.csr, truth, validated)


def _try(trials: _Trials, name: str, parameters: Parameters, left: float) -> None:
    model = new_model(name, parameters)
    tried = TriedModel(name, model.parameters, None)
    try:
        if (reason := _too_slow(trials, name, parameters, left)) is not None:
            trials.tried.append(replace(tried, reason=reason))
            return
        began = time.perf_counter()
        model.fit(trials.train)
    except (ValueError, MemoryError) as error:
        trials.tried.append(replace(tried, reason=str(error)))
        return
    tried = replace(
        tried, seconds=time.perf_counter() - began, ndcg=_ndcg(trials, model.places, (model,), ())
    )
    trials.tried.append(tried)
    trials.keep(tried, model)


def _too_slow(trials: _Trials, name: str, parameters: Parameters, left: float) -> str | None:
    """On large data, the time of a fit is estimated by that on a sample of the users."""
    if trials.train.nnz < _SAMPLED_FROM:
        return None
    began = time.perf_counter()
    new_model(name, parameters).fit(trials.train[::_SAMPLE])
    expected = (time.perf_counter() - began) * _SAMPLE
    # Fitted here, and again on all data.
    return None if 2 * expected < left else f"a fit takes about {expected:.0f} s"


def _try_blends(trials: _Trials, end: float) -> None:
    for (base, of_base), (added, of_added) in combinations(trials.fitted, 2):
        seconds = base.seconds + added.seconds
        if (base, added) in trials.blended or time.perf_counter() + seconds > end:
            continue
        trials.blended.append((base, added))
        for weight in _BLEND_WEIGHTS:
            parameters = {
                "base": of_base.name,
                "added": of_added.name,
                "weight": weight,
                **{f"base_{key}": value for key, value in base.parameters.items()},
                **{f"added_{key}": value for key, value in added.parameters.items()},
            }
            ndcg = _ndcg(trials, of_base.places, (of_base, of_added), (1.0, weight))
            trials.tried.append(TriedModel("blend", parameters, ndcg, seconds))


def _ndcg(
    trials: _Trials,
    places: Int32 | None,
    models: Sequence[ScorerRecommender],
    weights: Sequence[float],
) -> float:
    """The mean NDCG@20 of the validated users, by one model or by a weighted sum of two."""
    items = trials.train.shape[1]
    seen = ItemLists.of(trials.train)
    total = 0.0
    for rows in batches(len(trials.users), items):
        users = trials.users[rows]
        history = trials.train[users]
        scores = [model.scores(users, history) for model in models]
        summed = scores[0] if len(scores) == 1 else _summed(scores, weights)
        hide(summed, seen.take(users))
        ids, _ = rank(summed, VALIDATED_AT, places)
        hits = metrics.Hits.of(ids, trials.truth.take(users), items)
        total += float(metrics.ndcg(hits, VALIDATED_AT).sum())
    return total / len(trials.users)


def _summed(scores: Sequence[Float32], weights: Sequence[float]) -> Float32:
    """As `Blend` adds: each in units of its spread, here that of the batch."""
    total = np.zeros_like(scores[0])
    for each, weight in zip(scores, weights, strict=True):
        spread = float(each.std(axis=1, dtype=np.float64).mean())
        if spread > 0:
            total += each * np.float32(weight / spread)
    return total
