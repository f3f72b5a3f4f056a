"""SASRec: self-attention over the sequence of a user's items, trained by JAX.

Source: Kang, McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018). The loss is
cross-entropy over all items, or over many sampled ones, see `sequences.training`.

Belongs here: the model's parameters, which sequences it learns and validates. Serving it needs no
JAX (`recsys.scoring.self_attention`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from recsys.models.sequences.packing import SequencePieces
from recsys.models.sequences.training import Epoch, NetworkSize, TrainingPlan, require_deep, train
from recsys.recommender import SequenceRecommender
from recsys.scoring.histories import Histories
from recsys.scoring.ranking import Float64, Int32, Int64, ItemLists, batches, hide
from recsys.scoring.self_attention import Arrays, SelfAttention

_VALIDATED_SHARE = 0.1
_MOST_VALIDATED = 2_000
_FEWEST_VALIDATED = 20
_VALIDATED_AT = 10
# Copies of the arrays: in use, their average, the best, both moments of Adam, gradients, and a
# temporary one.
_COPIES = 7
# Of the scores of a step: themselves, their exponentials, and their gradients.
_COPIES_OF_SCORES = 3
# Of what each place reads, in a block, kept for the gradient; and of each pair of places.
_STATES_A_BLOCK, _PAIRS_A_BLOCK = 16, 6
_BYTES_AN_INTERACTION = 48
# What JAX takes to compile the steps, and NumPy to read all users, in batches: measured on
# MovieTweetings, whose fit took 442 to 464 MiB where the parts above are 64.
_BYTES_OF_RUNTIME = 400 << 20


class SASRec(SequenceRecommender):
    """score(u, i) = h . e_i, with h what a transformer reads from the newest `length` items of u.

    The items of a user are ordered by the time when the user first had each. Weights do not count.
    `width` is that of the vectors, `blocks` and `heads` are those of the attention. `negatives`
    items are sampled for each step, or the loss is over all items if it is 0. A step has `batch`
    rows of `length` places. The newest item of a tenth of the users validates each epoch by
    NDCG@10; training ends after `patience` epochs without a better one, and keeps the best.
    With fewer than twenty such users, all `epochs` are made. `epochs_made` says after the fit how
    each went. One seed gives the same bytes on one machine with the same versions.

    `fit` raises DeepMissingError without the extra `deep`, and ValueError without times or
    interactions.
    """

    name = "sasrec"

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 2,
        heads: int = 1,
        length: int = 50,
        negatives: int = 0,
        dropout: float = 0.2,
        learning_rate: float = 1e-3,
        decay: float = 0.0,
        batch: int = 8,
        epochs: int = 100,
        patience: int = 5,
        seed: int = 0,
    ) -> None:
        if min(width, blocks, heads, length, batch, epochs, patience) < 1 or width % heads:
            raise ValueError(
                "sasrec needs width, blocks, heads, length, batch, epochs and patience >= 1, and a"
                f" width that heads divide, but has {width}, {blocks}, {heads}, {length}, {batch},"
                f" {epochs} and {patience}"
            )
        if negatives < 0 or not 0 <= dropout < 1 or learning_rate <= 0 or decay < 0:
            raise ValueError(
                "sasrec needs negatives and decay >= 0, learning_rate > 0 and a dropout from 0 to"
                f" below 1, but has {negatives}, {decay}, {learning_rate} and {dropout}"
            )
        self._size = NetworkSize(0, width, blocks, heads, length)
        self._plan = TrainingPlan(
            negatives, dropout, learning_rate, decay, batch, epochs, patience, seed
        )
        self.epochs_made: tuple[Epoch, ...] = ()

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        size, plan = self._size, self._plan
        return {
            **{name: getattr(size, name) for name in ("width", "blocks", "heads", "length")},
            **{
                name: getattr(plan, name)
                for name in (
                    *("negatives", "dropout", "learning_rate", "decay"),
                    *("batch", "epochs", "patience", "seed"),
                )
            },
        }

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        users, items = map(int, user_items.shape)
        size, plan = self._size, self._plan
        tokens = plan.batch * size.length
        arrays = (items + size.length + 6 * size.blocks * size.width) * size.width * _COPIES
        scores = tokens * (plan.negatives or items) * _COPIES_OF_SCORES
        states = tokens * size.blocks * size.width * _STATES_A_BLOCK
        pairs = tokens * size.blocks * size.heads * size.length * _PAIRS_A_BLOCK
        cells = arrays + scores + states + pairs + users * size.width
        of_data = 4 * cells + _BYTES_AN_INTERACTION * int(user_items.nnz)
        return _BYTES_OF_RUNTIME + of_data

    def _fit_in_order(self, user_items: Any, times: Int64) -> None:
        users, items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        require_deep()
        histories = Histories.of(user_items, times)
        known = np.bincount(user_items.indices, minlength=items) > 0
        held = _held_out(histories, self._plan.seed)
        size = replace(self._size, items=items)
        pieces = SequencePieces.of(held.indptr, held.learned, size.length)
        heads = size.heads

        def validate(arrays: Arrays) -> float:
            scorer = SelfAttention.of_learned(arrays, known, heads, held.before)
            return float(_ndcg(scorer, held).mean())

        can_validate = len(held.wanted) >= _FEWEST_VALIDATED
        trained = train(pieces, size, self._plan, validate if can_validate else None)
        self.epochs_made = trained.epochs
        self._scorer = SelfAttention.of_learned(trained.arrays, known, heads, histories)


@dataclass(frozen=True)
class _HeldOut:
    """The sequences to learn, oldest item first, and the newest items that are held out of them:
    `wanted`, each with the histories `before` it.
    """

    indptr: Int64
    learned: Int32
    before: Histories
    wanted: Int32


def _held_out(histories: Histories, seed: int) -> _HeldOut:
    lists, ordered = histories.lists, histories.in_order()
    able = np.flatnonzero(lists.lengths > 1)
    some = min(_MOST_VALIDATED, int(len(able) * _VALIDATED_SHARE))
    if some < _FEWEST_VALIDATED:
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
        cast(Int64, of_chosen.times)[stays],
    )
    return _HeldOut(np.concatenate(([0], np.cumsum(lengths))), ordered[kept], before, wanted)


def _ndcg(scorer: SelfAttention, held: _HeldOut) -> Float64:
    """NDCG@10 of the one item that each user is to find, float64[users]."""
    found = np.zeros(len(held.wanted))
    for rows in batches(len(found), len(scorer.known)):
        users = np.arange(rows.start, rows.stop)
        of_rows, wanted = held.before.take(users), held.wanted[rows]
        scores = scorer.scores(users, of_rows)
        own = scores[np.arange(len(users)), wanted][:, None].copy()
        hide(scores, of_rows.lists)
        place = (scores > own).sum(axis=1)
        found[rows] = np.where(place < _VALIDATED_AT, 1 / np.log2(place + 2), 0.0)
    return found
