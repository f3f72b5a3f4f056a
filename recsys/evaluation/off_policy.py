"""What a policy would earn, by what another one has shown with known chances.

Belongs here: the estimates, and their intervals. NumPy only. Does not belong here: policies
(`bandits`), reading what was shown.

IPS weighs each click by the chance of the policy over the chance by which the item was shown
(Horvitz, Thompson 1952). SNIPS divides by the sum of the weights (Swaminathan, Joachims, "The
Self-Normalized Estimator for Counterfactual Learning", NIPS 2015). DR takes what a model expects,
and corrects it by the weighed errors of the model (Dudik, Langford, Li, "Doubly Robust Policy
Evaluation and Learning", ICML 2011). Intervals are percentiles of a bootstrap over users, whose
entries are not independent.
"""

from dataclasses import dataclass

import numpy as np

from recsys.scoring.ranking import Float64, Int64, batches

_CELLS = 1 << 22


@dataclass(frozen=True)
class Logged:
    """What was shown, one entry a shown item: `reward` float64, `chance` with which it was shown,
    `user` int64, a number of who saw it.

    Raises ValueError if nothing was shown, or a chance is no number above 0 and at most 1.
    """

    reward: Float64
    chance: Float64
    user: Int64

    def __post_init__(self) -> None:
        if len(self.reward) == 0:
            raise ValueError(
                "nothing was shown with a known chance: there is nothing to estimate by"
            )
        if not len(self.reward) == len(self.chance) == len(self.user):
            raise ValueError("reward, chance and user have different lengths: give one an entry")
        # A comparison with NaN is false.
        wrong = int(np.count_nonzero(~((self.chance > 0) & (self.chance <= 1))))
        if wrong:
            raise ValueError(
                f"{wrong} of {len(self.chance)} entries have a chance that is not above 0 and"
                " at most 1: leave out what was not drawn"
            )
        if not np.isfinite(self.reward).all():
            raise ValueError("a reward is no number: leave its entry out")


@dataclass(frozen=True)
class Model:
    """What a model expects of each entry: `shown` of the item that was shown, `policy` of what the
    policy would show there. It must not have learned from the entry.
    """

    shown: Float64
    policy: Float64


@dataclass(frozen=True)
class Value:
    """An estimate with its interval [low, high]; `gain` is it minus the mean of what was logged."""

    mean: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True)
class Estimates:
    """The value of a policy. `doubly_robust` is None without a model. `effective` is the number of
    entries that would say as much if they were by the policy itself.
    """

    logged: float
    ips: Value
    snips: Value
    doubly_robust: Value | None
    entries: int
    users: int
    effective: float


def estimate(  # noqa: PLR0917  (each is another thing)
    logged: Logged,
    policy: Float64,
    model: Model | None = None,
    samples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimates:
    """The value of a policy that shows each logged item with the chance `policy` float64[entries].

    The seed fixes the intervals. Raises ValueError for chances that are none.
    """
    if len(policy) != len(logged.reward) or not ((policy >= 0) & (policy <= 1)).all():
        raise ValueError("policy must have a chance from 0 to 1 for each entry")
    weight = policy / logged.chance
    _, user = np.unique(logged.user, return_inverse=True)
    users = int(user.max()) + 1

    def by_user(values: Float64) -> Float64:
        sums: Float64 = np.bincount(user, weights=values, minlength=users).astype(np.float64)
        return sums

    columns = [
        by_user(np.ones_like(weight)),
        by_user(logged.reward),
        by_user(weight),
        by_user(weight * logged.reward),
    ]
    if model is not None:
        columns.append(by_user(model.policy + weight * (logged.reward - model.shown)))
    sums = np.stack(columns, axis=1)
    whole = _values(sums.sum(axis=0)[None, :])
    random = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            _values(_resampled(random, rows.stop - rows.start, users) @ sums)
            for rows in batches(samples, users, _CELLS)
        ]
    )
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    values = [_value(whole[0], drawn, column, tails) for column in range(1, whole.shape[1])]
    square = float((weight**2).sum())
    return Estimates(
        logged=float(whole[0, 0]),
        ips=values[0],
        snips=values[1],
        doubly_robust=values[2] if model is not None else None,
        entries=len(weight),
        users=users,
        effective=float(weight.sum()) ** 2 / square if square else 0.0,
    )


def _resampled(random: np.random.Generator, samples: int, users: int) -> Float64:
    """How often each user is drawn, float64[samples, users]."""
    even = np.full(users, 1 / users)
    return np.asarray(random.multinomial(users, even, samples)).astype(np.float64)


def _values(sums: Float64) -> Float64:
    """Logged mean, IPS, SNIPS and, with a model, DR of each row of sums."""
    entries, reward, weight, weighed = sums.T[:4]
    snips = np.divide(weighed, weight, out=np.zeros_like(weighed), where=weight > 0)
    columns = [reward / entries, weighed / entries, snips]
    if sums.shape[1] > 4:
        columns.append(sums[:, 4] / entries)
    return np.stack(columns, axis=1)


def _value(whole: Float64, drawn: Float64, column: int, tails: tuple[float, float]) -> Value:
    low, high = (float(q) for q in np.quantile(drawn[:, column], tails))
    gains = drawn[:, column] - drawn[:, 0]
    gain_low, gain_high = (float(q) for q in np.quantile(gains, tails))
    mean = float(whole[column])
    return Value(mean, low, high, mean - float(whole[0]), gain_low, gain_high)
