"""The scorer of latent factors: a dense vector for each user and each item.

Belongs here: scores and likeness computed from two dense arrays. NumPy only, because a consumer
runs this code too. Does not belong here: how factors are learned (`models/`). Models whose scores
are no product of factors (item neighbours, EASE, graph filter) use the scorer `item_filter`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.least_squares import System
from recsys.scoring.ranking import Float32, Float64, Ranked, rank_similar

Similarity = Literal["cosine", "inner_product"]

_LEAST_PULL = 1e-9
_FOLDING_STEPS = 64


@dataclass(frozen=True)
class FoldIn:
    """How to compute a factor x of a user who was not fitted, from the items y of a history.

    x minimises `unobserved` sum over all items (x.y)^2 + sum over the history of
    g (1 - x.y)^2 with g = `gain` * weight, + `pull` (n + `offset`)^`exponent` |x|^2, n the number
    of items in the history. Where `as_confidence`, the history's items stand in the first sum with
    target 1, as in the model of Hu, Koren and Volinsky, else with target 0, as in iALS.
    With `is_same_for_all`, x is ones for every user, as in popularity, and the other fields have no
    effect. The last `biases` columns are one in every x and hold the items' biases in y; they are
    not solved for, and do not count for the similarity of items.
    """

    unobserved: float = 1.0
    gain: float = 1.0
    pull: float = 1.0
    offset: float = 0.0
    exponent: float = 0.0
    as_confidence: bool = True
    is_same_for_all: bool = False
    biases: int = 0


@dataclass(frozen=True)
class Factors:
    """score(u, i) = users[u] . items[i]; `users` is float32[users, f], `items` float32[items, f].

    `similarity` says how two items compare: `cosine` of their factors, or their `inner_product`
    where the length of a factor is its meaning, as in popularity. `folding` says how a new user is
    placed among the factors.

    Raises ValueError for arrays of another type, of different width, or with values not finite.
    """

    users: Float32
    items: Float32
    similarity: Similarity = "cosine"
    folding: FoldIn = FoldIn()

    scoring: ClassVar[str] = "factors"

    def __post_init__(self) -> None:
        for name, array in (("user", self.users), ("item", self.items)):
            if array.ndim != 2 or array.dtype != np.float32:
                raise ValueError(
                    f"{name} factors are {array.dtype}{list(array.shape)}: need float32[rows, f]"
                )
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{name} factors hold NaN or inf: training diverged; regularize more"
                )
        if self.users.shape[1] != self.items.shape[1]:
            raise ValueError(
                f"user factors are {self.users.shape[1]} wide, item factors {self.items.shape[1]}:"
                " both must come from one training"
            )
        if self.similarity not in get_args(Similarity):
            raise ValueError(
                f"similarity is {self.similarity!r}: one of {', '.join(get_args(Similarity))}"
            )

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact; they do not depend on the settings."""
        del settings
        return {"user_factors": np.float32, "item_factors": np.float32}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays` and `settings`."""
        return cls(
            arrays["user_factors"],
            arrays["item_factors"],
            settings["similarity"],
            FoldIn(**settings["folding"]),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that an artifact stores."""
        return {"user_factors": self.users, "item_factors": self.items}

    def settings(self) -> dict[str, Any]:
        """The settings that a manifest stores."""
        return {"similarity": self.similarity, "folding": asdict(self.folding)}

    def fits(self, users: int, items: int) -> bool:
        """Whether the arrays have this number of users and items."""
        return (len(self.users), len(self.items)) == (users, items)

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array; the factors hold the histories."""
        del histories
        scores: Float32 = self.users[user_indices] @ self.items.T
        return scores

    def fold_in(self, histories: Histories) -> Float32:
        """Scores of users who were not fitted, float32[len(histories), items]; see `FoldIn`."""
        scores: Float32 = self._folded(histories).astype(np.float32) @ self.items.T
        return scores

    def _folded(self, histories: Histories) -> Float64:
        own, lists = self.folding, histories.lists
        if own.is_same_for_all:
            return np.ones((len(lists), self.items.shape[1]))
        gain = own.gain * histories.weights.astype(np.float64)
        tastes = self._tastes
        width = tastes.shape[1]
        pull = own.pull * (lists.lengths + own.offset) ** own.exponent
        # A small pull makes the system solvable if a history has fewer items than factors.
        least = _LEAST_PULL * max(float(np.trace(self._gram)) / max(width, 1), _LEAST_PULL)
        system = System(
            lists=lists,
            vectors=tastes[lists.indices].astype(np.float64),
            gain=gain,
            target=gain + own.unobserved * own.as_confidence,
            gram=own.unobserved * self._gram,
            pull=np.maximum(pull, least),
        )
        solved = system.solve(np.zeros((len(lists), width)), min(width, _FOLDING_STEPS))
        return np.concatenate((solved, np.ones((len(lists), own.biases))), axis=1)

    @property
    def _tastes(self) -> Float32:
        """The items' factors without their biases."""
        return self.items[:, : self.items.shape[1] - self.folding.biases]

    @cached_property
    def _gram(self) -> Float64:
        items = self._tastes.astype(np.float64)
        gram: Float64 = items.T @ items
        return gram

    def similarities(self, item_indices: NDArray[np.integer]) -> Float32:
        """float32[len(item_indices), items], a fresh array; 0 for items without a factor."""
        vectors = self._unit_items if self.similarity == "cosine" else self.items
        likeness: Float32 = vectors[item_indices] @ vectors.T
        return likeness

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` most similar other items: ids int32[len(item_indices), n] and likeness float32.

        Only items of positive likeness are listed; where fewer are left, the row is padded with
        id -1 and score -inf.
        """
        return rank_similar(self.similarities, item_indices, len(self.items), n)

    @cached_property
    def _unit_items(self) -> Float32:
        norms = np.linalg.norm(self._tastes, axis=1, keepdims=True)
        norms[norms == 0] = 1
        unit: Float32 = self._tastes / norms
        return unit
