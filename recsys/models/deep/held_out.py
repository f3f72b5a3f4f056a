"""The newest items of some users, held out to validate the epochs of a training.

Belongs here: which items are held out, and how well a scorer finds them. NumPy only.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float32, Float64, Int32, Int64, ItemLists, batches, hide

_SHARE = 0.1
_MOST = 2_000
_FEWEST = 20
_AT = 10


class KnownItems(Protocol):
    """A scorer that says which items it has learned."""

    @property
    def known(self) -> Any:
        """bool[items]."""

    def scores(self, user_indices: Any, histories: Histories) -> Float32:
        """See Scorer."""


@dataclass(frozen=True)
class HeldOut:
    """The sequences to learn, oldest item first, and the newest items that are held out of them:
    `wanted`, each with the histories `before` it.
    """

    indptr: Int64
    learned: Int32
    before: Histories
    wanted: Int32

    @classmethod
    def of(cls, histories: Histories, seed: int) -> "HeldOut":
        """Hold out the newest item of a tenth of the users with two or more, or of nobody where
        these are fewer than twenty.
        """
        lists, ordered = histories.lists, histories.in_order()
        able = np.flatnonzero(lists.lengths > 1)
        some = min(_MOST, int(len(able) * _SHARE))
        if some < _FEWEST:
            some = 0
        chosen = np.sort(np.random.default_rng(seed).choice(able, some, replace=False))
        kept = np.ones(len(ordered), dtype=np.bool_)
        kept[lists.indptr[1:][chosen] - 1] = False
        lengths = lists.lengths
        lengths[chosen] -= 1
        wanted = ordered[~kept]
        of_chosen = histories.take(chosen)
        stays = of_chosen.lists.indices != np.repeat(wanted, of_chosen.lists.lengths)
        before = Histories(
            ItemLists(
                np.concatenate(([0], np.cumsum(of_chosen.lists.lengths - 1))),
                of_chosen.lists.indices[stays],
            ),
            of_chosen.weights[stays],
            None if of_chosen.times is None else of_chosen.times[stays],
        )
        return cls(np.concatenate(([0], np.cumsum(lengths))), ordered[kept], before, wanted)

    def ndcg(self, scorer: KnownItems) -> Float64:
        """NDCG@10 of the one item that each user is to find, float64[users]."""
        found = np.zeros(len(self.wanted))
        for rows in batches(len(found), len(scorer.known)):
            users = np.arange(rows.start, rows.stop)
            of_rows, wanted = self.before.take(users), self.wanted[rows]
            scores = scorer.scores(users, of_rows)
            own = scores[np.arange(len(users)), wanted][:, None].copy()
            hide(scores, of_rows.lists)
            place = (scores > own).sum(axis=1)
            found[rows] = np.where(place < _AT, 1 / np.log2(place + 2), 0.0)
        return found
