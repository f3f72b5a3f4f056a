"""Self-attention over a user's sequence of items: the scorer of SASRec.

Belongs here: the network, as a function of arrays that NumPy and JAX both compute, and scores from
it. NumPy only, because a consumer runs this code too. Does not belong here: how the arrays are
learned (`models/deep`).

Source: Kang, McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018); with normalization
before each layer after Xiong et al., "On Layer Normalization in the Transformer Architecture" (ICML
2020), and a token that begins every sequence, so that the first item is learned as well.
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

NAMES = (
    *("tokens", "places", "query", "key", "value", "mixed"),
    *("wide", "wide_bias", "narrow", "narrow_bias", "scales", "shifts"),
)
_LEAST_VARIANCE = 1e-6
_FAR = -1e9


def hidden_states(  # noqa: PLR0917  (each is another thing)
    xp: Any,
    arrays: Arrays,
    heads: int,
    inputs: Any,
    places: Any,
    visible: Any,
    drop: Callable[[Any], Any] = lambda values: values,
) -> Any:
    """What the network has read at each place: float32[rows, places, w].

    `xp` is numpy or jax.numpy. `inputs` and `places` int[rows, places] are tokens and their place
    in the sequence; `visible` bool[rows, places, places] says which others each place may read.
    `drop` is applied after each layer while training.
    """
    width = arrays["tokens"].shape[1]
    state = arrays["tokens"][inputs] * width**0.5 + arrays["places"][places]
    state = drop(state)
    for block in range(arrays["query"].shape[0]):
        normal = _normalized(xp, arrays, 2 * block, state)
        state = state + drop(_attention(xp, arrays, heads, block, normal, visible))
        normal = _normalized(xp, arrays, 2 * block + 1, state)
        hidden = xp.maximum(normal @ arrays["wide"][block] + arrays["wide_bias"][block], 0)
        state = state + drop(hidden @ arrays["narrow"][block] + arrays["narrow_bias"][block])
    return _normalized(xp, arrays, -1, state)


def _attention(  # noqa: PLR0917  (each is another thing)
    xp: Any, arrays: Arrays, heads: int, block: int, state: Any, visible: Any
) -> Any:
    rows, places, width = state.shape

    def of_heads(name: str) -> Any:
        part = (state @ arrays[name][block]).reshape(rows, places, heads, width // heads)
        return part.transpose(0, 2, 1, 3)

    likeness = of_heads("query") @ of_heads("key").transpose(0, 1, 3, 2)
    likeness = likeness * (width // heads) ** -0.5
    likeness = xp.where(visible[:, None], likeness, _FAR)
    weights = xp.exp(likeness - likeness.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    read = (weights @ of_heads("value")).transpose(0, 2, 1, 3).reshape(rows, places, width)
    return read @ arrays["mixed"][block]


def _normalized(xp: Any, arrays: Arrays, layer: int, state: Any) -> Any:
    centred = state - state.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    unit = centred / xp.sqrt(variance + _LEAST_VARIANCE)
    return unit * arrays["scales"][layer] + arrays["shifts"][layer]


@dataclass(frozen=True)
class SelfAttention(SequenceScorer):
    """A scorer whose network attends to all earlier items of a sequence.

    Its arrays, for w width, h hidden, b blocks: `tokens` [items + 1, w]; `places` [length + 1, w];
    `query`, `key`, `value`, `mixed` [b, w, w]; `wide` [b, w, h], `wide_bias` [b, h], `narrow`
    [b, h, w], `narrow_bias` [b, w]; `scales` and `shifts` [2 b + 1, w] of the normalizations, in
    the order in which they are applied.
    """

    heads: int

    scoring: ClassVar[str] = "self_attention"
    names: ClassVar[tuple[str, ...]] = NAMES

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays` and `settings`."""
        own = {name: arrays[name] for name in NAMES}
        return cls(own, arrays["users"], arrays["known"], settings["heads"])

    @classmethod
    def of_learned(cls, arrays: Arrays, known: Any, heads: int, histories: Histories) -> Self:
        """The scorer of learned arrays, with the users of these histories."""
        width = arrays["tokens"].shape[1]
        without_users = cls(arrays, np.empty((0, width), dtype=np.float32), known, heads)
        return replace(without_users, users=without_users.read(histories))

    def settings(self) -> dict[str, Any]:
        """The settings that a manifest stores."""
        return {"architecture": "sasrec", "heads": self.heads}

    @property
    def length(self) -> int:
        """The number of newest items that are read."""
        return len(self.network["places"]) - 1

    def _shapes(self, items: int, width: int) -> Mapping[str, tuple[int, ...]]:
        blocks, _, hidden = (*self.network["wide"].shape, 0, 0, 0)[:3]
        return {
            "tokens": (items + 1, width),
            "places": (len(self.network["places"]), width),
            **dict.fromkeys(("query", "key", "value", "mixed"), (blocks, width, width)),
            "wide": (blocks, width, hidden),
            "wide_bias": (blocks, hidden),
            "narrow": (blocks, hidden, width),
            "narrow_bias": (blocks, width),
            **dict.fromkeys(("scales", "shifts"), (2 * blocks + 1, width)),
        }

    def _setting(self) -> str:
        return f"{self.heads} heads"

    def _what_does_not_fit(self) -> str:
        return "heads" if self.heads < 1 or self.users.shape[-1] % self.heads else ""

    def _states(self, inputs: Int32) -> Float32:
        places = np.arange(inputs.shape[1])
        visible = np.tril(np.ones((1, len(places), len(places)), dtype=np.bool_))
        states: Float32 = hidden_states(
            np, self.network, self.heads, inputs, places[None, :], visible
        )
        return states
