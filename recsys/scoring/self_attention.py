"""Self-attention over a user's sequence of items: the scorer of SASRec.

Belongs here: the network, as a function of arrays that NumPy and JAX both compute, and scores from
it. NumPy only, because a consumer runs this code too. Does not belong here: how the arrays are
learned (`models/sasrec`).

Source: Kang, McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018); with normalization
before each layer after Xiong et al., "On Layer Normalization in the Transformer Architecture" (ICML
2020), and a token that begins every sequence, so that the first item is learned as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float32, Int32, Int64, Ranked, batches, rank_similar

Arrays = Mapping[str, Any]
"""Float32 arrays by name. For a model of w width, h hidden, b blocks: `tokens` [items + 1, w], the
last of which begins a sequence; `places` [length + 1, w]; `query`, `key`, `value`, `mixed`
[b, w, w]; `wide` [b, w, h], `wide_bias` [b, h], `narrow` [b, h, w], `narrow_bias` [b, w];
`scales` and `shifts` [2 b + 1, w] of the normalizations, in the order in which they are applied.
"""

NAMES = (
    *("tokens", "places", "query", "key", "value", "mixed"),
    *("wide", "wide_bias", "narrow", "narrow_bias", "scales", "shifts"),
)
_LEAST_VARIANCE = 1e-6
_FAR = -1e9
# Tokens of a batch: 8 MiB of float32 for each array of 64 columns.
_TOKENS = 1 << 15


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
class SelfAttention:
    """score(u, i) = users[u] . tokens[i], above the lowest of the user, plus one.

    `users` float32[users, w] is what the network has read at the end of each fitted user's
    sequence, so that known users are scored by one product. `known` bool[items] are the items that
    were learned; the others, and users without items, score 0. For `network` see `Arrays`.

    Raises ValueError for arrays of another type or shape, or with values not finite.
    """

    network: Arrays
    users: Float32
    known: NDArray[np.bool_]
    heads: int

    scoring: ClassVar[str] = "self_attention"

    def __post_init__(self) -> None:
        for name in NAMES:
            array = self.network[name]
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError(
                    f"{name} is {array.dtype}, or holds NaN or inf: training diverged; lower the"
                    " learning rate"
                )
        found = {name: self.network[name].shape for name in NAMES}
        items, width, places = len(self.known), self.users.shape[-1], len(self.network["places"])
        blocks, _, hidden = (*found["wide"], 0, 0, 0)[:3]
        shapes = {
            "tokens": (items + 1, width),
            "places": (places, width),
            **dict.fromkeys(("query", "key", "value", "mixed"), (blocks, width, width)),
            "wide": (blocks, width, hidden),
            "wide_bias": (blocks, hidden),
            "narrow": (blocks, hidden, width),
            "narrow_bias": (blocks, width),
            **dict.fromkeys(("scales", "shifts"), (2 * blocks + 1, width)),
        }
        wrong = [name for name in NAMES if found[name] != shapes[name]]
        if wrong or self.users.ndim != 2 or self.heads < 1 or width % self.heads:
            raise ValueError(
                f"{', '.join(wrong) or 'heads'} do not fit {items} items, a width of {width} and"
                f" {self.heads} heads: all must come from one training"
            )

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact; they do not depend on the settings."""
        del settings
        return {**dict.fromkeys((*NAMES, "users"), np.float32), "known": np.bool_}

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
        return cls(arrays, without_users.read(histories), known, heads)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that an artifact stores."""
        return {**self.network, "users": self.users, "known": self.known}

    def settings(self) -> dict[str, Any]:
        """The settings that a manifest stores."""
        return {"architecture": "sasrec", "heads": self.heads}

    def fits(self, users: int, items: int) -> bool:
        """Whether the arrays have this number of users and items."""
        return (len(self.users), len(self.known)) == (users, items)

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array; `users` hold the histories."""
        del histories
        return self._scored(self.users[user_indices])

    def fold_in(self, histories: Histories) -> Float32:
        """Scores by the sequences of users who were not fitted, float32[len(histories), items]."""
        return self._scored(self.read(histories))

    def read(self, histories: Histories) -> Float32:
        """What the network has read at the end of each sequence, float32[rows, w]; zero for a
        user without items.
        """
        lengths = np.minimum(histories.lists.lengths, self.length)
        found = np.zeros((len(histories), self.network["tokens"].shape[1]), dtype=np.float32)
        # By length, so that a batch has little padding.
        by_length = np.argsort(lengths, kind="stable")
        by_length = by_length[lengths[by_length] > 0]
        for part in batches(len(by_length), self.length + 1, _TOKENS):
            rows = by_length[part]
            found[rows] = self._read(_last_items(histories.take(rows), self.length), lengths[rows])
        return found

    @property
    def length(self) -> int:
        """The number of newest items that are read."""
        return len(self.network["places"]) - 1

    def _read(self, items: Int32, lengths: Int64) -> Float32:
        start = np.full((len(items), 1), len(self.known), dtype=np.int32)
        inputs = np.concatenate((start, items), axis=1)
        places = np.arange(inputs.shape[1])
        # Padding stands at the end, so that a place reads none of it.
        visible = np.tril(np.ones((1, len(places), len(places)), dtype=np.bool_))
        states = hidden_states(np, self.network, self.heads, inputs, places[None, :], visible)
        last: Float32 = states[np.arange(len(items)), lengths]
        return last

    def _scored(self, vectors: Float32) -> Float32:
        scores: Float32 = vectors @ self._items.T
        lowest = scores.min(axis=1, keepdims=True, where=self.known, initial=np.inf)
        scores -= lowest - 1
        scores[:, ~self.known] = 0
        scores[~vectors.any(axis=1)] = 0
        return scores

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` items whose tokens are most similar by cosine: ids int32[rows, n] and likeness.

        Only items of positive likeness are listed; rows are padded with id -1 and score -inf.
        """
        return rank_similar(self.similarities, item_indices, len(self.known), n)

    def similarities(self, item_indices: NDArray[np.integer]) -> Float32:
        """float32[len(item_indices), items], a fresh array; 0 for items that were not learned."""
        likeness: Float32 = self._unit_items[item_indices] @ self._unit_items.T
        return likeness

    @property
    def _items(self) -> Float32:
        items: Float32 = self.network["tokens"][:-1]
        return items

    @cached_property
    def _unit_items(self) -> Float32:
        norms = np.linalg.norm(self._items, axis=1, keepdims=True)
        unit: Float32 = self._items / np.maximum(norms, np.float32(1e-12))
        unit[~self.known] = 0
        return unit


def _last_items(histories: Histories, length: int) -> Int32:
    """The newest `length` items of each, oldest first, int32[rows, longest]; padding is item 0."""
    lists = histories.lists
    kept = np.minimum(lists.lengths, length)
    items = np.zeros((len(lists), int(kept.max(initial=0))), dtype=np.int32)
    row = lists.row_of_each()
    place = np.arange(len(row)) - lists.indptr[row] - (lists.lengths - kept)[row]
    newest = place >= 0
    items[row[newest], place[newest]] = histories.in_order()[newest]
    return items
