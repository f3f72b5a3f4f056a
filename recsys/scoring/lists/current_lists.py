"""The lists of current users by the weights that are in force, and who has such a list already.

Belongs here: lists of many users at once, as a serving table takes them. NumPy and pyarrow only.
Does not belong here: who the users are and what they have (`current_users`), the choice
(`choosing`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.scoring.current_users import PresentUsers
from recsys.scoring.histories import Histories
from recsys.scoring.lists.choosing import ItemTraits, Weights, choose, pool_size
from recsys.scoring.ranking import NO_ITEM, ItemLists, Ranked, batches
from recsys.scoring.recommendations import ranked_rows


@dataclass(frozen=True)
class CurrentLists:
    """The lists of `present`, chosen by `weights`, without the items in `shown`, a list a user.

    `age` names the time of the items' ages: lists of another one count as changed, if their
    freshness has a weight.
    """

    present: PresentUsers
    weights: Weights
    traits: ItemTraits
    shown: ItemLists
    age: str = ""

    @classmethod
    def of(
        cls,
        present: PresentUsers,
        weights: Weights | None = None,
        traits: Any | None = None,
        shown: Any | None = None,
        age: str = "",
    ) -> Self:
        """From pa.Tables: `traits` with item_id, creator, age_days; `shown` with user_id, item_id,
        of which users and items that are not there are ignored.
        """
        items = present.model.items
        return cls(
            present,
            weights or Weights(),
            ItemTraits.of(items, traits),
            _lists(present.users, items, shown),
            age,
        )

    def fingerprints(self) -> NDArray[np.uint64]:
        """A number for each list, uint64[users], that changes with all that it is made of. Without
        rules it is that of the history.
        """
        prints = self.present.histories.fingerprints()
        nothing = np.zeros(len(self.shown.indices), dtype=np.float32)
        prints = prints ^ Histories(self.shown, nothing).fingerprints()
        if not self.weights.changes_nothing:
            named = f"{self.weights} {self.age if self.weights.freshness > 0 else ''}"
            digest = blake2b(named.encode(), digest_size=8).digest()
            prints = prints ^ np.uint64(int.from_bytes(digest, "little"))
        return prints

    def unchanged(self, served: Any) -> NDArray[np.bool_]:
        """Which users have their list in `served`, a pa.Table of user_id, history; bool[users]."""
        return self.present.have(served, self.fingerprints())

    def top_n(self, rows: NDArray[np.integer], n: int) -> Iterator[Any]:
        """The lists of the given users, as record batches of `recommendations.SCHEMA` with history,
        the fingerprint, and model_rank, the place of the item by its score alone, from 1.
        """
        fingerprints, items = self.fingerprints(), self.present.model.items
        for batch in batches(len(rows), max(n, len(items))):
            own = rows[batch]
            (ids, scores), model_rank = self._ranked(own, n)
            there = ids != NO_ITEM
            ranked = ranked_rows(self.present.users.take(pa.array(own)), items, ids, scores)
            listed = np.repeat(fingerprints[own], there.sum(axis=1))
            yield ranked.append_column(
                pa.field("history", pa.uint64()), pa.array(listed)
            ).append_column(pa.field("model_rank", pa.uint16()), pa.array(model_rank[there]))

    def _ranked(self, rows: NDArray[np.integer], n: int) -> tuple[Ranked, NDArray[np.uint16]]:
        besides = self.shown.take(rows)
        if self.weights.changes_nothing:
            ids, scores = self.present.best(rows, n, besides)
            places = np.broadcast_to(np.arange(1, n + 1, dtype=np.uint16), ids.shape)
            return (ids, scores), places
        ids, scores = self.present.best(rows, pool_size(n), besides)
        scorer = self.present.model.scorer
        chosen = choose(scorer, ids, scores, n, self.weights, self.traits)
        there = chosen >= 0
        held = np.maximum(chosen, 0)
        return (
            np.where(there, np.take_along_axis(ids, held, axis=1), NO_ITEM).astype(np.int32),
            np.where(there, np.take_along_axis(scores, held, axis=1), -np.inf).astype(np.float32),
        ), (held + 1).astype(np.uint16)


def _lists(users: Any, items: Any, table: Any | None) -> ItemLists:
    """The known items of each user, as a list for each of `users`."""
    none = ItemLists(np.zeros(len(users) + 1, dtype=np.int64), np.empty(0, dtype=np.int32))
    if table is None or table.num_rows == 0:
        return none
    row, item = (
        pc.fill_null(pc.index_in(table[name], value_set=of), -1).to_numpy().astype(np.int64)
        for name, of in (("user_id", users), ("item_id", items))
    )
    known = (row >= 0) & (item >= 0)
    order = np.argsort(row[known], kind="stable")
    lengths = np.bincount(row[known], minlength=len(users))
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return ItemLists(indptr, item[known][order].astype(np.int32)).joined(none)
