"""Two towers: one reads a user's items, the other an item and its text; their product scores.

Belongs here: the tower of users, as a function of arrays that NumPy and JAX both compute, and
scores from it. NumPy only, because a consumer runs this code too. Does not belong here: how the
arrays are learned, and the tower of items, which is computed once (`models/deep/two_tower`).

Source: Covington, Adams, Sargin, "Deep Neural Networks for YouTube Recommendations" (RecSys 2016).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.networks.item_vectors import (
    Arrays,
    refuse_unlearned,
    scores_of,
    unit_vectors,
)
from recsys.scoring.ranking import Float32, Ranked, rank_similar

NAMES = ("items", "read", "wide", "wide_bias", "narrow", "narrow_bias")


def user_vectors(xp: Any, arrays: Arrays, means: Any) -> Any:
    """The vectors of users, float32[.., w], by the means of what is read of their items.

    `xp` is numpy or jax.numpy.
    """
    hidden = xp.maximum(means @ arrays["wide"] + arrays["wide_bias"], 0)
    return means + hidden @ arrays["narrow"] + arrays["narrow_bias"]


@dataclass(frozen=True)
class TwoTower:
    """score(u, i) = user vector . items[i], above the lowest of the user, plus one.

    A user is the mean of `read` float32[items, w] over the history. `items` float32[items, w] are
    the vectors of items. `known` bool[items] are those with interactions or a text; the others, and
    users without known items, score 0. `network` has the arrays by `NAMES`.

    Raises ValueError for arrays of another type or shape, or with values not finite.
    """

    network: Arrays
    known: NDArray[np.bool_]

    scoring: ClassVar[str] = "two_tower"

    def __post_init__(self) -> None:
        shape = (len(self.known), self.network["items"].shape[-1])
        hidden = self.network["wide"].shape[-1]
        shapes = {
            **{"items": shape, "read": shape, "wide": (shape[1], hidden), "wide_bias": (hidden,)},
            **{"narrow": (hidden, shape[1]), "narrow_bias": (shape[1],)},
        }
        refuse_unlearned(self.network, NAMES)
        for name in NAMES:
            found = self.network[name].shape
            if found != shapes[name]:
                raise ValueError(
                    f"{name} is {list(found)}, and not {list(shapes[name])}: all arrays must come"
                    " from one training"
                )

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact; they do not depend on the settings."""
        del settings
        return {**dict.fromkeys(NAMES, np.float32), "known": np.bool_}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays`."""
        del settings
        return cls({name: arrays[name] for name in NAMES}, arrays["known"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that an artifact stores."""
        return {**self.network, "known": self.known}

    def settings(self) -> dict[str, Any]:
        """The settings that a manifest stores."""
        return {"architecture": "two_tower"}

    def fits(self, users: int, items: int) -> bool:
        """Whether the arrays have this number of items; users are read from their histories."""
        del users
        return len(self.known) == items

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array, by the histories alone."""
        del user_indices
        return self.fold_in(histories)

    def fold_in(self, histories: Histories) -> Float32:
        """Scores by histories, float32[len(histories), items]."""
        lists = histories.lists
        read = self.known[lists.indices]
        row = lists.row_of_each()[read]
        counts = np.bincount(row, minlength=len(lists))
        means = np.zeros((len(lists), self.network["read"].shape[1]), dtype=np.float32)
        some = counts > 0
        if some.any():
            begins = (np.cumsum(counts) - counts)[some]
            means[some] = np.add.reduceat(self.network["read"][lists.indices[read]], begins)
            means[some] /= counts[some][:, None].astype(np.float32)
        vectors = user_vectors(np, self.network, means)
        vectors[~some] = 0
        return scores_of(vectors, self.network["items"], self.known)

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` items whose vectors are most similar by cosine: ids int32[rows, n] and likeness.

        Only items of positive likeness are listed; rows are padded with id -1 and score -inf.
        """
        return rank_similar(self.similarities, item_indices, len(self.known), n)

    def similarities(self, item_indices: NDArray[np.integer]) -> Float32:
        """float32[len(item_indices), items], a fresh array; 0 for items that are not known."""
        likeness: Float32 = self._unit_items[item_indices] @ self._unit_items.T
        return likeness

    @cached_property
    def _unit_items(self) -> Float32:
        return unit_vectors(self.network["items"], self.known)
