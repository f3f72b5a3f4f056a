"""A recurrent network over a user's sequence of items: the scorer of GRU4Rec.

Belongs here: the network, as a function of arrays that NumPy and JAX both compute, and scores from
it. NumPy only, because a consumer runs this code too. Does not belong here: how the arrays are
learned (`models/deep`).

Source: Hidasi, Karatzoglou, Baltrunas, Tikk, "Session-based Recommendations with Recurrent Neural
Networks" (ICLR 2016), with one table of vectors for the items that are read and those that are
scored, as in the authors' later code; the unit of Cho et al., "Learning Phrase Representations
using RNN Encoder-Decoder" (EMNLP 2014).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.networks.sequence_scorer import SequenceScorer
from recsys.scoring.ranking import Float32, Int32

NAMES = ("tokens", "inputs", "gates", "candidates", "biases")

Scan = Callable[[Callable[[Any, Any], Any], Any, Any], Any]
"""As jax.lax.scan: applies a step to a carried value and each part, and stacks what it gives."""


def over_places(step: Callable[[Any, Any], Any], carried: Any, parts: Any) -> Any:
    """What jax.lax.scan does, by a loop over the places of a sequence."""
    found = []
    for part in zip(*parts, strict=True):
        carried, given = step(carried, part)
        found.append(given)
    return carried, np.stack(found)


def hidden_states(  # noqa: PLR0917  (each is another thing)
    xp: Any,
    arrays: Arrays,
    inputs: Any,
    begins: Any,
    scan: Scan = over_places,
    drop: Callable[[Any], Any] = lambda values: values,
) -> Any:
    """What the network has read at each place: float32[rows, places, w].

    `xp` is numpy or jax.numpy. `inputs` int[rows, places] are tokens, and `begins` bool[rows,
    places] says where a sequence begins, before which nothing was read. `drop` is applied to the
    vectors of the tokens and after each layer while training.
    """
    states = drop(arrays["tokens"][inputs])
    for layer in range(arrays["inputs"].shape[0]):
        states = drop(_layer(xp, arrays, layer, states, begins, scan))
    return states


def _layer(xp: Any, arrays: Arrays, layer: int, read: Any, begins: Any, scan: Scan) -> Any:  # noqa: PLR0917
    width = read.shape[-1]
    gates, candidates = arrays["gates"][layer], arrays["candidates"][layer]

    def step(before: Any, part: Any) -> Any:
        own, is_first = part
        before = xp.where(is_first[:, None], 0, before)
        both = _sigmoid(xp, own[:, : 2 * width] + before @ gates)
        update, reset = both[:, :width], both[:, width:]
        candidate = xp.tanh(own[:, 2 * width :] + (reset * before) @ candidates)
        after = before + update * (candidate - before)
        return after, after

    own = read @ arrays["inputs"][layer] + arrays["biases"][layer]
    nothing = xp.zeros((read.shape[0], width), dtype=own.dtype)
    _, states = scan(step, nothing, (own.swapaxes(0, 1), begins.swapaxes(0, 1)))
    return states.swapaxes(0, 1)


def _sigmoid(xp: Any, values: Any) -> Any:
    # By tanh, which does not overflow.
    return (xp.tanh(values * 0.5) + 1) * 0.5


@dataclass(frozen=True)
class Recurrent(SequenceScorer):
    """A scorer whose network reads a sequence item by item, of the newest `newest` items.

    Its arrays, for w width and l layers: `tokens` [items + 1, w]; `inputs` [l, w, 3 w] and `biases`
    [l, 3 w] for update, reset and candidate; `gates` [l, w, 2 w] and `candidates` [l, w, w] of what
    was read before.
    """

    newest: int

    scoring: ClassVar[str] = "recurrent"
    names: ClassVar[tuple[str, ...]] = NAMES

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays` and `settings`."""
        own = {name: arrays[name] for name in NAMES}
        return cls(own, arrays["users"], arrays["known"], settings["newest"])

    @classmethod
    def of_learned(cls, arrays: Arrays, known: Any, newest: int, histories: Histories) -> Self:
        """The scorer of learned arrays, with the users of these histories."""
        width = arrays["tokens"].shape[1]
        without_users = cls(arrays, np.empty((0, width), dtype=np.float32), known, newest)
        return replace(without_users, users=without_users.read(histories))

    def settings(self) -> dict[str, Any]:
        """The settings that a manifest stores."""
        return {"architecture": "gru4rec", "newest": self.newest}

    @property
    def length(self) -> int:
        """The number of newest items that are read."""
        return self.newest

    def _shapes(self, items: int, width: int) -> Mapping[str, tuple[int, ...]]:
        layers = len(self.network["inputs"])
        return {
            "tokens": (items + 1, width),
            "inputs": (layers, width, 3 * width),
            "gates": (layers, width, 2 * width),
            "candidates": (layers, width, width),
            "biases": (layers, 3 * width),
        }

    def _setting(self) -> str:
        return f"sequences of {self.newest}"

    def _what_does_not_fit(self) -> str:
        return "sequences" if self.newest < 1 else ""

    def _states(self, inputs: Int32) -> Float32:
        begins = np.zeros(inputs.shape, dtype=np.bool_)
        begins[:, 0] = True
        states: Float32 = hidden_states(np, self.network, inputs, begins)
        return states
