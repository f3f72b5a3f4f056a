"""Ranked lists of many users as arrays, found by user in microseconds.

Belongs here: the arrays, and how an Arrow table of rows becomes them. Where rows come from belongs
to `served_lists`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RankedItem:
    """An item of a list."""

    item_id: str
    score: float
    model_rank: int | None
    """The place by the model's score alone, from 1; None if the model has not ranked it."""
    chance: float | None = None
    """With which the item was put at its place; None if it was not drawn."""


@dataclass(frozen=True)
class UserLists:
    """The lists of users, sorted by user: that of `users[i]` is the rows from `ends[i]` to
    `ends[i + 1]`.
    """

    users: Any
    ends: NDArray[np.int64]
    items: Any
    """A pa.DictionaryArray: few items are in many lists."""
    scores: NDArray[np.float32]
    model_ranks: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def of(cls, rows: pa.Table) -> Self:
        """From rows with user_id, item_id, score and model_rank, by user and rank."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        user_ids = rows["user_id"].combine_chunks()
        items = rows["item_id"]
        if not pa.types.is_dictionary(items.type):
            items = pc.dictionary_encode(items)
        runs = pc.run_end_encode(user_ids)
        ends = np.concatenate(([0], runs.run_ends.to_numpy().astype(np.int64)))
        return cls(
            runs.values,
            ends,
            items.unify_dictionaries().combine_chunks(),
            rows["score"].to_numpy().astype(np.float32),
            rows["model_rank"].to_numpy().astype(np.uint16),
        )

    def place(self, user: str) -> int:
        """The number of a user; -1 if the user has no list."""
        return place_of(self.users, user)

    def entries(self, place: int) -> list[RankedItem]:
        """The list of the user with this number, best first."""
        rows = slice(int(self.ends[place]), int(self.ends[place + 1]))
        columns = (
            self.items[rows].to_pylist(),
            self.scores[rows].tolist(),
            self.model_ranks[rows].tolist(),
        )
        return [RankedItem(*each) for each in zip(*columns, strict=True)]


def place_of(users: Any, user: str) -> int:
    """The place of a user in sorted ids; -1 if it is not there."""
    # Bisection needs no table of all ids.
    found = bisect_left(range(len(users)), user, key=lambda i: users[i].as_py())
    return found if found < len(users) and users[found].as_py() == user else -1


def moment(microseconds: int) -> datetime:
    """A time of microseconds since 1970."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
