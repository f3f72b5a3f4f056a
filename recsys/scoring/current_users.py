"""Recommends to current users with a model that was published earlier.

Belongs here: their histories in the items and units of that model, which users the model has
learned, which users have changed since their list was made, and the lists. Between two trainings,
users react to more items; a fold-in makes their lists from their current history. Does not belong
here: reading the rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.matrix import InteractionMatrix, id_column
from recsys.scoring.consumer import LoadedModel
from recsys.scoring.histories import Histories
from recsys.scoring.ranking import (
    Float32,
    Int64,
    ItemLists,
    Ranked,
    batches,
    rank_in_batches,
)
from recsys.scoring.recommendations import ranked_rows

NOT_LEARNED = -1


@dataclass(frozen=True)
class PresentUsers:
    """All users who have an item that `model` knows.

    `users` is a sorted pa.StringArray, `histories` their items with the model's weights. `learned`
    int64[users] is the model's row of a user whose history has not changed since training, else -1.
    """

    model: LoadedModel
    users: Any
    histories: Histories
    learned: Int64

    @classmethod
    def of(cls, model: LoadedModel, table: Any) -> Self:
        """From rows as for InteractionMatrix.from_table, with weights in the unit of the training.

        Items that the model does not know are ignored.
        """
        known = pc.is_in(id_column(table, "item_id"), value_set=model.items)
        matrix = InteractionMatrix.from_table(table.filter(known), items=model.items)
        # A model whose artifact has times reads the order of histories.
        own = Histories.of(matrix.csr, None if model.histories.times is None else matrix.times)
        # Computed as at publication, so that an unchanged history has the same bytes.
        exponent = np.float32(model.manifest.get("weight_exponent", 1.0))
        histories = replace(own, weights=own.weights**exponent)
        users = pa.table({"user_id": model.users, "history": model.histories.fingerprints()})
        row = pc.fill_null(pc.index_in(matrix.users, value_set=model.users), NOT_LEARNED)
        found = cls(model, matrix.users, histories, row.to_numpy().astype(np.int64))
        return replace(found, learned=np.where(found.unchanged(users), found.learned, NOT_LEARNED))

    def __len__(self) -> int:
        return len(self.users)

    def unchanged(self, served: Any) -> NDArray[np.bool_]:
        """Which users still have the history of their list, bool[users].

        `served` is a pa.Table of user_id and history: the fingerprint that went with each list.
        """
        return self.have(served, self.histories.fingerprints())

    def have(self, served: Any, fingerprints: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which users have a list in `served` with the given fingerprint, bool[users]."""
        place = pc.index_in(self.users, value_set=served["user_id"])
        there = pc.is_valid(place).to_numpy(zero_copy_only=False)
        same = np.zeros(len(self), dtype=np.bool_)
        before = served["history"].take(place.drop_null()).to_numpy()
        same[there] = before == fingerprints[there]
        return same

    def among(self, served: Any) -> NDArray[np.bool_]:
        """Which rows of `served` belong to current users, bool[rows]."""
        there: NDArray[np.bool_] = pc.is_in(served["user_id"], value_set=self.users).to_numpy()
        return there

    def top_n(self, rows: NDArray[np.integer], n: int) -> Iterator[Any]:
        """The best `n` unseen items of the given users, as record batches of
        `recommendations.SCHEMA` with history, the fingerprint of what the list was made of.
        """
        fingerprints = self.histories.fingerprints()
        for batch in batches(len(rows), max(n, len(self.model.items))):
            own = rows[batch]
            ids, scores = self.best(own, n)
            ranked = ranked_rows(self.users.take(pa.array(own)), self.model.items, ids, scores)
            listed = np.repeat(fingerprints[own], (ids >= 0).sum(axis=1))
            yield ranked.append_column(pa.field("history", pa.uint64()), pa.array(listed))

    def best(self, rows: NDArray[np.integer], n: int, besides: ItemLists | None = None) -> Ranked:
        """The best `n` items of the given users that they do not have, and that are not in
        `besides`, which has a list for each of these rows.
        """
        hidden = self.histories.lists.take(rows)
        return rank_in_batches(
            lambda part: self._scores(rows[part]),
            hidden if besides is None else hidden.joined(besides),
            len(self.model.items),
            n,
            self.model.places,
        )

    def _scores(self, rows: NDArray[np.integer]) -> Float32:
        """Scores by the model's factors of a user, or by fold-in if the history has changed."""
        histories, learned = self.histories.take(rows), self.learned[rows]
        holds = learned >= 0
        if holds.all():
            return self.model.scorer.scores(learned, histories)
        scores = self.model.scorer.fold_in(histories)
        if holds.any():
            of_learned = histories.take(np.flatnonzero(holds))
            scores[holds] = self.model.scorer.scores(learned[holds], of_learned)
        return scores
