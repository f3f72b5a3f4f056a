"""Trains arrays by JAX and Optax: steps, epochs, early stopping.

Belongs here: the optimizer, the steps of an epoch, and which epoch is kept. JAX is imported when a
training begins. Does not belong here: what is learned (the models beside) and `losses`.

Source: what is validated and kept is the moving average of the arrays over the steps (Polyak,
Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM 1992), which changes less
from step to step.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.models.deep.losses import LossPlan
from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.ranking import Float32

_LONGEST_STEP = 1.0
# The share of a step in the moving average, so that about the last hundred steps count; the first
# steps have more, or the average of a short training would be what it began with.
_SHARE_OF_STEP, _LARGE_SHARES = 0.01, 10

COPIES_OF_ARRAYS = 7
"""In use, their average, the best, both moments of Adam, gradients, and a temporary one."""
COPIES_OF_SCORES = 3
"""The scores of a step: themselves, their exponentials, and their gradients."""
BYTES_AN_INTERACTION = 48
BYTES_OF_RUNTIME = 400 << 20
"""What JAX takes to compile the steps, and NumPy to read all users, in batches: measured on
MovieTweetings, whose fit of SASRec took 442 to 464 MiB where the parts above are 64."""

Drop = Callable[[Any], Any]
"""Sets some values to zero while training."""


class DeepMissingError(ImportError):
    """JAX or Optax was asked for and is not installed; says what to install."""


def require_deep(model: str) -> None:
    """Raise DeepMissingError if JAX or Optax is not installed."""
    try:
        import jax  # noqa: F401
        import optax  # noqa: F401
    except ImportError as error:
        raise DeepMissingError(
            f"{model} is trained by JAX and Optax, which are not installed: pip install"
            " 'social-assets[deep]'"
        ) from error


@dataclass(frozen=True)
class TrainingPlan:
    """How to train. `batch` is the number of rows of a step, and `patience` that of the epochs
    without a better validation that end it. Raises ValueError for values without meaning.
    """

    loss: LossPlan
    dropout: float
    learning_rate: float
    decay: float
    batch: int
    epochs: int
    patience: int
    seed: int

    def __post_init__(self) -> None:
        if min(self.batch, self.epochs, self.patience) < 1 or not 0 <= self.dropout < 1:
            raise ValueError(
                "a training needs batch, epochs and patience >= 1, and a dropout from 0 to below"
                f" 1, but has {self.batch}, {self.epochs}, {self.patience} and {self.dropout}"
            )
        if self.learning_rate <= 0 or self.decay < 0:
            raise ValueError(
                "a training needs a learning_rate > 0 and decay >= 0, but has"
                f" {self.learning_rate} and {self.decay}"
            )

    def parameters(self) -> dict[str, int | float | str]:
        """What a model's constructor takes of the training."""
        names = ("dropout", "learning_rate", "decay", "batch", "epochs", "patience", "seed")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Epoch:
    """An epoch: its mean loss, its seconds by the clock and of the processors, and what validation
    found (None without it).
    """

    loss: float
    seconds: float
    cpu_seconds: float
    validated: float | None


@dataclass(frozen=True)
class Trained:
    """The arrays of the best epoch, or of the last one without validation; and all epochs."""

    arrays: Arrays
    epochs: tuple[Epoch, ...]


class Objective(Protocol):
    """What is learned."""

    def initial(self, seed: int) -> dict[str, Float32]:
        """The arrays with which training begins."""

    @property
    def dropouts(self) -> int:
        """How often `loss` drops."""

    def batches(self, random: np.random.Generator, size: int) -> Iterable[tuple[NDArray[Any], ...]]:
        """What each step of an epoch reads, all of one shape, `size` rows each."""

    def loss(self, arrays: Arrays, key: Any, drop: Drop, *parts: Any) -> Any:
        """The mean loss of a batch, by JAX; `key` is for what is sampled."""


def train(
    objective: Objective, plan: TrainingPlan, validate: Callable[[Arrays], float] | None
) -> Trained:
    """Train until `validate` finds no better value for some epochs.

    One seed gives the same bytes on one machine, with the same versions of JAX and its libraries.
    Raises ImportError without the extra `deep`, ValueError where training diverges.
    """
    import jax

    random = np.random.default_rng(plan.seed)
    first = objective.initial(plan.seed)
    arrays = {name: jax.numpy.asarray(value) for name, value in first.items()}
    begin, step = _steps(objective, plan)
    state, key = begin(arrays), jax.random.key(plan.seed)
    average = best = arrays
    best_value, waited, steps = -math.inf, 0, 0
    epochs: list[Epoch] = []
    for _ in range(plan.epochs):
        began, worked, losses = time.perf_counter(), time.process_time(), []
        for parts in objective.batches(random, plan.batch):
            key, own = jax.random.split(key)
            share = np.float32(max(_SHARE_OF_STEP, _LARGE_SHARES / (_LARGE_SHARES + steps)))
            arrays, average, state, loss = step(arrays, average, share, state, own, *parts)
            steps += 1
            losses.append(loss)
        mean = float(np.mean([float(loss) for loss in losses]))
        seconds = time.perf_counter() - began, time.process_time() - worked
        if not math.isfinite(mean):
            raise ValueError(
                f"training diverged in epoch {len(epochs) + 1}: lower the learning_rate"
                f" {plan.learning_rate}"
            )
        value = None if validate is None else validate(_numpy(average))
        epochs.append(Epoch(mean, *seconds, value))
        if value is None or value > best_value:
            best, best_value, waited = average, -math.inf if value is None else value, 0
        else:
            waited += 1
        if waited >= plan.patience:
            break
    return Trained(_numpy(best), tuple(epochs))


def _numpy(arrays: Any) -> dict[str, Float32]:
    return {name: np.array(value) for name, value in arrays.items()}


def _steps(objective: Objective, plan: TrainingPlan) -> tuple[Any, Any]:
    """The functions that begin the optimizer's state, and that make one step."""
    import jax
    import optax

    jnp = jax.numpy
    optimizer = optax.chain(
        optax.clip_by_global_norm(_LONGEST_STEP),
        optax.adamw(plan.learning_rate, b2=0.98, weight_decay=plan.decay),
    )

    def dropping(key: Any) -> Drop:
        if plan.dropout == 0:
            return lambda values: values
        keys = iter(jax.random.split(key, objective.dropouts))

        def drop(values: Any) -> Any:
            kept = jax.random.bernoulli(next(keys), 1 - plan.dropout, values.shape)
            return jnp.where(kept, values / (1 - plan.dropout), 0)

        return drop

    def loss(arrays: Any, key: Any, *parts: Any) -> Any:
        of_dropout, of_items = jax.random.split(key)
        return objective.loss(arrays, of_items, dropping(of_dropout), *parts)

    def step(arrays: Any, average: Any, share: Any, state: Any, key: Any, *parts: Any) -> Any:
        found, slopes = jax.value_and_grad(loss)(arrays, key, *parts)
        changes, state = optimizer.update(slopes, state, arrays)
        arrays = optax.apply_updates(arrays, changes)
        average = optax.incremental_update(arrays, average, share)
        return arrays, average, state, found

    return optimizer.init, jax.jit(step)
