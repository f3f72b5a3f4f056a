"""Trains the network of `recsys.scoring.self_attention` by JAX and Optax.

Belongs here: initial arrays, the loss, the steps of an epoch, and early stopping. JAX is imported
when a training begins. Does not belong here: which sequences are learned and validated
(`models/sasrec`), and the network itself.

Source: Klenitskiy, Vasilev, "Turning Dross Into Gold Loss: is BERT4Rec really better than SASRec?"
(RecSys 2023), for the loss: cross-entropy over all items or over many sampled ones, where the paper
of SASRec has one negative item. Sampled ones stand for all by their share (Bengio, Senecal, "Quick
Training of Probabilistic Neural Nets by Importance Sampling", AISTATS 2003). What is validated and
kept is the moving average of the arrays over the steps (Polyak, Juditsky, "Acceleration of
Stochastic Approximation by Averaging", SIAM 1992), which changes less from step to step.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.models.sequences.packing import SequencePieces, pack
from recsys.scoring.ranking import Float32
from recsys.scoring.self_attention import NAMES, Arrays, hidden_states

_START = 0.02
_LONGEST_STEP = 1.0
# The share of a step in the moving average, so that about the last hundred steps count; the first
# steps have more, or the average of a short training would be what it began with.
_SHARE_OF_STEP, _LARGE_SHARES = 0.01, 10


class DeepMissingError(ImportError):
    """JAX or Optax was asked for and is not installed; says what to install."""


def require_deep() -> None:
    """Raise DeepMissingError if JAX or Optax is not installed."""
    try:
        import jax  # noqa: F401
        import optax  # noqa: F401
    except ImportError as error:
        raise DeepMissingError(
            "sasrec is trained by JAX and Optax, which are not installed: pip install"
            " 'social-assets[deep]'"
        ) from error


@dataclass(frozen=True)
class NetworkSize:
    """The size of a network: items, width of its vectors, blocks, heads, and places."""

    items: int
    width: int
    blocks: int
    heads: int
    length: int


@dataclass(frozen=True)
class TrainingPlan:
    """How to train. `negatives` is the number of sampled items of a batch, 0 for all items;
    `batch` the rows of a step; `patience` the epochs without a better validation that end it.
    """

    negatives: int
    dropout: float
    learning_rate: float
    decay: float
    batch: int
    epochs: int
    patience: int
    seed: int


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


def initial(size: NetworkSize, seed: int) -> dict[str, Float32]:
    """The arrays with which training begins."""
    random = np.random.default_rng(seed)
    width, blocks = size.width, size.blocks

    def drawn(*shape: int) -> Float32:
        values: Float32 = random.standard_normal(shape, dtype=np.float32)
        return values

    square = (blocks, width, width)
    return {
        "tokens": drawn(size.items + 1, width) * np.float32(_START),
        "places": drawn(size.length + 1, width) * np.float32(_START),
        **{
            name: drawn(*square) * np.float32(width**-0.5)
            for name in ("query", "key", "value", "mixed", "wide", "narrow")
        },
        "wide_bias": np.zeros((blocks, width), dtype=np.float32),
        "narrow_bias": np.zeros((blocks, width), dtype=np.float32),
        "scales": np.ones((2 * blocks + 1, width), dtype=np.float32),
        "shifts": np.zeros((2 * blocks + 1, width), dtype=np.float32),
    }


def train(
    pieces: SequencePieces,
    size: NetworkSize,
    plan: TrainingPlan,
    validate: Callable[[Arrays], float] | None,
) -> Trained:
    """Train on the pieces until `validate` finds no better value for some epochs.

    One seed gives the same bytes on one machine, with the same versions of JAX and its libraries.
    Raises DeepMissingError without the extra `deep`, ValueError where training diverges.
    """
    require_deep()
    import jax

    random = np.random.default_rng(plan.seed)
    arrays = {name: jax.numpy.asarray(value) for name, value in initial(size, plan.seed).items()}
    begin, step = _steps(size, plan)
    state, key = begin(arrays), jax.random.key(plan.seed)
    average = best = arrays
    best_value, waited, steps = -math.inf, 0, 0
    epochs: list[Epoch] = []
    for _ in range(plan.epochs):
        began, worked, losses = time.perf_counter(), time.process_time(), []
        order = random.permutation(len(pieces))
        rows = pack(pieces, order, size.length, size.items, plan.batch)
        for first in range(0, len(rows), plan.batch):
            of_step = slice(first, first + plan.batch)
            parts = (rows.inputs, rows.targets, rows.segments, rows.places)
            key, own = jax.random.split(key)
            parts_of_step = (part[of_step] for part in parts)
            share = np.float32(max(_SHARE_OF_STEP, _LARGE_SHARES / (_LARGE_SHARES + steps)))
            arrays, average, state, loss = step(arrays, average, share, state, own, *parts_of_step)
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
    return {name: np.array(arrays[name]) for name in NAMES}


def _steps(size: NetworkSize, plan: TrainingPlan) -> tuple[Any, Any]:
    """The functions that begin the optimizer's state, and that make one step."""
    import jax
    import optax

    jnp = jax.numpy
    optimizer = optax.chain(
        optax.clip_by_global_norm(_LONGEST_STEP),
        optax.adamw(plan.learning_rate, b2=0.98, weight_decay=plan.decay),
    )

    def dropping(key: Any) -> Callable[[Any], Any]:
        if plan.dropout == 0:
            return lambda values: values
        keys = iter(jax.random.split(key, 2 * size.blocks + 1))

        def drop(values: Any) -> Any:
            kept = jax.random.bernoulli(next(keys), 1 - plan.dropout, values.shape)
            return jnp.where(kept, values / (1 - plan.dropout), 0)

        return drop

    def loss(arrays: Any, key: Any, inputs: Any, targets: Any, segments: Any, places: Any) -> Any:  # noqa: PLR0917
        same = segments[:, :, None] == segments[:, None, :]
        visible = same & jnp.tril(jnp.ones((size.length, size.length), dtype=bool))
        of_dropout, of_items = jax.random.split(key)
        drop = dropping(of_dropout)
        states = hidden_states(jnp, arrays, size.heads, inputs, places, visible, drop)
        items = arrays["tokens"][:-1]
        right = (states * items[targets]).sum(axis=-1)
        if plan.negatives:
            drawn = jax.random.randint(of_items, (plan.negatives,), 0, size.items)
            wrong = states @ items[drawn].T + math.log(size.items / plan.negatives)
            wrong = jnp.where(targets[..., None] == drawn, -jnp.inf, wrong)
            every = jnp.logaddexp(jax.nn.logsumexp(wrong, axis=-1), right)
        else:
            every = jax.nn.logsumexp(states @ items.T, axis=-1)
        counts = segments > 0
        return jnp.where(counts, every - right, 0).sum() / jnp.maximum(counts.sum(), 1)

    def step(arrays: Any, average: Any, share: Any, state: Any, key: Any, *parts: Any) -> Any:
        found, slopes = jax.value_and_grad(loss)(arrays, key, *parts)
        changes, state = optimizer.update(slopes, state, arrays)
        arrays = optax.apply_updates(arrays, changes)
        average = optax.incremental_update(arrays, average, share)
        return arrays, average, state, found

    return optimizer.init, jax.jit(step)
