"""What all scorers of sequences share: a network reads a user's items, and its last state scores.

Belongs here: batches of sequences, users who were fitted, and scores from states. NumPy only,
because a consumer runs this code too. Does not belong here: the networks (one file each beside).
"""

from abc import ABC, abstractmethod
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
from recsys.scoring.ranking import Float32, Int32, Int64, Ranked, batches, rank_similar

# Tokens of a batch: 8 MiB of float32 for each array of 64 columns.
_TOKENS = 1 << 15


@dataclass(frozen=True)
class SequenceScorer(ABC):
    """score(u, i) = users[u] . tokens[i], above the lowest of the user, plus one.

    `users` float32[users, w] is what the network has read at the end of each fitted user's
    sequence, so that known users are scored by one product. `known` bool[items] are the items that
    were learned; the others, and users without items, score 0. `network` has `tokens` [items + 1,
    w], the last of which begins a sequence.

    Raises ValueError for arrays of another type or shape, or with values not finite.
    """

    network: Arrays
    users: Float32
    known: NDArray[np.bool_]

    scoring: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    """The names of the network's arrays."""

    def __post_init__(self) -> None:
        refuse_unlearned(self.network, self.names)
        shapes = self._shapes(len(self.known), self.users.shape[-1])
        wrong = [name for name in self.names if self.network[name].shape != shapes[name]]
        what = self._what_does_not_fit()
        if wrong or self.users.ndim != 2 or what:
            raise ValueError(
                f"{', '.join(wrong) or what or 'users'} do not fit {len(self.known)} items, a width"
                f" of {self.users.shape[-1]} and {self._setting()}: all must come from one training"
            )

    @classmethod
    @abstractmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """The scorer of the given `arrays` and `settings`."""

    @property
    @abstractmethod
    def length(self) -> int:
        """The number of newest items that are read."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The settings that a manifest stores."""

    @abstractmethod
    def _shapes(self, items: int, width: int) -> Mapping[str, tuple[int, ...]]:
        """The shapes that the arrays must have."""

    @abstractmethod
    def _setting(self) -> str:
        """The scorer's setting, for a message."""

    def _what_does_not_fit(self) -> str:
        """What is wrong with the settings."""
        return ""

    @abstractmethod
    def _states(self, inputs: Int32) -> Float32:
        """What the network has read at each place of int32[rows, places]: float32[.., w]."""

    @classmethod
    def expected(cls, settings: Mapping[str, Any]) -> dict[str, type]:
        """The arrays of an artifact; they do not depend on the settings."""
        del settings
        return {**dict.fromkeys((*cls.names, "users"), np.float32), "known": np.bool_}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that an artifact stores."""
        return {**self.network, "users": self.users, "known": self.known}

    def fits(self, users: int, items: int) -> bool:
        """Whether the arrays have this number of users and items."""
        return (len(self.users), len(self.known)) == (users, items)

    def scores(self, user_indices: NDArray[np.integer], histories: Histories) -> Float32:
        """float32[len(user_indices), items], a fresh array; `users` hold the histories."""
        del histories
        return scores_of(self.users[user_indices], self._items, self.known)

    def fold_in(self, histories: Histories) -> Float32:
        """Scores by the sequences of users who were not fitted, float32[len(histories), items]."""
        return scores_of(self.read(histories), self._items, self.known)

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

    def _read(self, items: Int32, lengths: Int64) -> Float32:
        # Padding stands at the end, and no place reads what is after it.
        start = np.full((len(items), 1), len(self.known), dtype=np.int32)
        states = self._states(np.concatenate((start, items), axis=1))
        last: Float32 = states[np.arange(len(items)), lengths]
        return last

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
        return unit_vectors(self._items, self.known)


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
