"""Losses of a training that predicts the next item: over all items, or over sampled ones.

Belongs here: which items are sampled, and the loss of each place, by JAX. JAX is imported when a
loss is made.

Sources: cross-entropy over all items or many sampled ones by Klenitskiy, Vasilev, "Turning Dross
Into Gold Loss: is BERT4Rec really better than SASRec?" (RecSys 2023); sampled ones stand for all by
their share (Bengio, Senecal, "Quick Training of Probabilistic Neural Nets by Importance Sampling",
AISTATS 2003). BPR-max, and sampling by a power of popularity, by Hidasi, Karatzoglou, "Recurrent
Neural Networks with Top-k Gains for Session-based Recommendations" (CIKM 2018); what other
implementations of these have got wrong, such as a missing share of what is sampled, by Hidasi,
Czapp, "The Effect of Third Party Implementations on Reproducibility" (RecSys 2023).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.scoring.ranking import Int64

CROSS_ENTROPY, BPR_MAX = "cross_entropy", "bpr_max"
LOSSES = (CROSS_ENTROPY, BPR_MAX)

_LEAST = 1e-24

LossOfPlaces = Callable[[Any, Any, Any, Any], Any]
"""(states [rows, places, w], vectors of items [items, w], targets [rows, places], key) to
float32[rows, places].
"""


@dataclass(frozen=True)
class LossPlan:
    """Which loss. `negatives` items are sampled for a step, each with a share by its number of
    users to the power of `popularity`; 0 are all items, for cross-entropy. `penalty` is on the
    squared scores of sampled items, for BPR-max.
    """

    name: str = CROSS_ENTROPY
    negatives: int = 0
    popularity: float = 0.0
    penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in LOSSES:
            raise ValueError(f"no loss is called {self.name!r}: {', '.join(LOSSES)}")
        if min(self.negatives, self.popularity, self.penalty) < 0:
            raise ValueError(
                "a loss needs negatives, popularity and penalty >= 0, but has"
                f" {self.negatives}, {self.popularity} and {self.penalty}"
            )
        if self.name == BPR_MAX and self.negatives == 0:
            raise ValueError(
                f"{BPR_MAX} compares with sampled items, and needs negatives >= 1: give some"
                f" hundreds, or take {CROSS_ENTROPY}"
            )


def loss_of_places(plan: LossPlan, counts: Int64) -> LossOfPlaces:
    """The loss of each place; `counts` int64[items] are the numbers of users."""
    import jax

    jnp = jax.numpy
    draw = _sampler(plan, counts)

    def of_all(states: Any, items: Any, targets: Any, _: Any) -> Any:
        right = (states * items[targets]).sum(axis=-1)
        return jax.nn.logsumexp(states @ items.T, axis=-1) - right

    def of_sampled(states: Any, items: Any, targets: Any, key: Any) -> Any:
        right = (states * items[targets]).sum(axis=-1)
        drawn, log_times = draw(key)
        wrong = states @ items[drawn].T - log_times
        wrong = jnp.where(targets[..., None] == drawn, -jnp.inf, wrong)
        return jnp.logaddexp(jax.nn.logsumexp(wrong, axis=-1), right) - right

    def bpr_max(states: Any, items: Any, targets: Any, key: Any) -> Any:
        right = (states * items[targets]).sum(axis=-1)
        drawn, _ = draw(key)
        wrong = states @ items[drawn].T
        is_other = targets[..., None] != drawn
        weights = jax.nn.softmax(jnp.where(is_other, wrong, -1e9), axis=-1) * is_other
        won = (weights * jax.nn.sigmoid(right[..., None] - wrong)).sum(axis=-1)
        return plan.penalty * (weights * wrong**2).sum(axis=-1) - jnp.log(won + _LEAST)

    if plan.name == BPR_MAX:
        return bpr_max
    return of_sampled if plan.negatives else of_all


def _sampler(plan: LossPlan, counts: Int64) -> Callable[[Any], Any]:
    """A function of a key that gives items, and by how much a sampled score is lowered, so that
    the sampled ones stand for all: the logarithm of how often each is drawn.
    """
    import jax

    items, number = len(counts), plan.negatives
    if plan.popularity == 0:
        rarely = -math.log(items / number) if number else 0.0
        return lambda key: (jax.random.randint(key, (number,), 0, items), rarely)
    powers = np.maximum(counts, 1).astype(np.float64) ** plan.popularity
    shares = powers / powers.sum()
    ends = jax.numpy.asarray(np.cumsum(shares), dtype=np.float32)
    times = jax.numpy.asarray(np.log(shares * max(number, 1)), dtype=np.float32)

    def draw(key: Any) -> Any:
        at = jax.numpy.searchsorted(ends, jax.random.uniform(key, (number,)), side="right")
        drawn = jax.numpy.minimum(at, items - 1)
        return drawn, times[drawn]

    return draw
