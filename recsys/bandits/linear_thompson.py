"""A contextual bandit: which items to try, by a linear model of clicks and draws of its posterior.

Belongs here: the model, and the chance of each item in a context. NumPy only. Does not belong here:
where shown items come from, and whether a policy is good (`evaluation.off_policy`).

The model is that of hybrid LinUCB: a click is `shared . x + own[item] . z` and noise, where `x` are
features of the place, and `z` features of the user, which each item weighs by itself; a new item
has the weights of none. Instead of the upper bound, an item's chance is how often it is the best in
draws of the posterior. Sources: Li, Chu, Langford, Schapire, "A Contextual-Bandit Approach to
Personalized News Article Recommendation" (WWW 2010), algorithm 2; Agrawal, Goyal, "Thompson
Sampling for Contextual Bandits with Linear Payoffs" (ICML 2013).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.ranking import Float64, Int64

# What is believed of click rates before anything was shown.
_RATE_BEFORE, _SHOWN_BEFORE = 0.05, 20.0
# Cells of the draws that are held at once.
_CELLS = 1 << 21


@dataclass(frozen=True)
class TriedItems:
    """What was shown, and whether it was clicked: one entry a shown item.

    `items` int64[shown] are numbers of items; `place` float64[shown, k] and `user` float64[shown,
    m] their features; `clicked` float64[shown] is 1 or 0. Raises ValueError if they do not fit.
    """

    items: Int64
    place: Float64
    user: Float64
    clicked: Float64

    def __post_init__(self) -> None:
        shown = len(self.items)
        if not len(self.place) == len(self.user) == len(self.clicked) == shown:
            raise ValueError(
                f"{shown} items were shown, with {len(self.place)} places, {len(self.user)} users"
                f" and {len(self.clicked)} clicks: give one of each for every item"
            )
        for name in ("place", "user", "clicked"):
            wrong = int(np.count_nonzero(~np.isfinite(getattr(self, name))))
            if wrong:
                raise ValueError(f"{name} has {wrong} values that are no numbers: leave them out")

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """The given entries."""
        return type(self)(self.items[rows], self.place[rows], self.user[rows], self.clicked[rows])


@dataclass(frozen=True)
class LinearThompson:
    """The posterior. `shared` float64[k] and `own` float64[items, m] are means; `shared_inverse`
    and `own_inverse` the inverses of the precisions, `crossed` float64[items, m, k] how the weights
    of an item depend on the shared ones. `noise` is the variance of a click.
    """

    shared: Float64
    shared_inverse: Float64
    own: Float64
    own_inverse: Float64
    crossed: Float64
    noise: float
    shown: Int64

    @classmethod
    def fit(cls, tried: TriedItems, items: int) -> Self:
        """Learn from what was shown of `items` items; nothing shown leaves the prior.

        Raises ValueError for numbers of items out of range.
        """
        if items < 1:
            raise ValueError(f"there are {items} items: give one or more to choose from")
        if len(tried.items) and not 0 <= tried.items.min() <= tried.items.max() < items:
            raise ValueError(f"an item that was shown is not among the {items} items")
        k, m = tried.place.shape[1], tried.user.shape[1]
        rate = (tried.clicked.sum() + _RATE_BEFORE * _SHOWN_BEFORE) / (
            len(tried.items) + _SHOWN_BEFORE
        )
        noise = max(rate * (1 - rate), 1e-3)
        # The rates of items are believed to differ by as much as their mean.
        ridge = noise / rate**2
        precision = _sums(tried.items, tried.user, tried.user, items) + ridge * np.eye(m)
        mixed = _sums(tried.items, tried.user, tried.place, items)
        clicks = _sums(tried.items, tried.user, tried.clicked[:, None], items)[:, :, 0]
        inverse: Float64 = np.linalg.inv(precision)
        crossed = inverse @ mixed
        shared_precision = np.eye(k) + tried.place.T @ tried.place
        shared_precision -= np.einsum("imk,iml->kl", mixed, crossed)
        reward = tried.place.T @ tried.clicked - np.einsum("imk,im->k", crossed, clicks)
        shared_inverse: Float64 = np.asarray(np.linalg.inv(shared_precision), dtype=np.float64)
        shared = shared_inverse @ reward
        own: Float64 = np.einsum("imn,in->im", inverse, clicks) - crossed @ shared
        shown = np.bincount(tried.items, minlength=items).astype(np.int64)
        return cls(shared, shared_inverse, own, inverse, crossed, noise, shown)

    def expected(self, items: Int64, place: Float64, user: Float64) -> Float64:
        """The expected click of each given item at its place for its user, float64[rows]."""
        found: Float64 = place @ self.shared + np.einsum("rm,rm->r", self.own[items], user)
        return found

    def chances(
        self,
        users: Float64,
        among: Int64,
        draws: int = 1_000,
        floor: float = 0.1,
        seed: int = 0,
    ) -> Float64:
        """The chance of each item of `among` for each row of `users` float64[rows, m]:
        float64[rows, among], rows that sum to 1.

        It is the share of draws in which the item is the best; a share of `floor` is spread evenly,
        so that every item has a chance, and no weight of an estimate is above items / floor. The
        same seed gives the same chances. Where nothing was shown, all are equal. Raises ValueError
        for a floor outside of (0, 1], or no item.
        """
        if not 0 < floor <= 1:
            raise ValueError(f"floor is {floor}: give a share above 0, at most 1")
        if len(among) == 0:
            raise ValueError("there is no item to choose from")
        even = np.full((len(users), len(among)), 1 / len(among))
        if not self.shown.any():
            return even
        random = np.random.default_rng(seed)
        k, m = len(self.shared), self.own.shape[1]
        deviation = np.sqrt(self.noise)
        shared_root = np.linalg.cholesky(self.shared_inverse) * deviation
        own_root = np.linalg.cholesky(self.own_inverse[among]) * deviation
        best = np.zeros_like(even)
        step = max(1, _CELLS // (len(among) * max(m, len(users))))
        for start in range(0, draws, step):
            count = min(step, draws - start)
            moved = random.standard_normal((count, k)) @ shared_root.T
            own = self.own[among] - np.einsum("imk,dk->dim", self.crossed[among], moved)
            own += np.einsum("imn,din->dim", own_root, random.standard_normal(own.shape))
            scores = np.einsum("dim,rm->rdi", own, users)
            picks = scores.argmax(axis=2)
            for row in range(len(users)):
                best[row] += np.bincount(picks[row], minlength=len(among))
        chances: Float64 = (1 - floor) * best / draws + floor * even
        return chances


def _sums(items: Int64, left: Float64, right: Float64, count: int) -> Float64:
    """The sum of left x right of the entries of each item, float64[count, left, right]."""
    order = np.argsort(items, kind="stable")
    sums = np.zeros((count, left.shape[1], right.shape[1]))
    there, begins = np.unique(items[order], return_index=True)
    if len(there):
        products = left[order, :, None] * right[order, None, :]
        sums[there] = np.add.reduceat(products, begins, axis=0)
    return sums
