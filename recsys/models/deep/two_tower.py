"""Two towers, trained by JAX: a user's items on one side, an item and its text on the other.

Sources: Covington, Adams, Sargin, "Deep Neural Networks for YouTube Recommendations" (RecSys 2016);
items without interactions by leaving out an item's own vector at times while training (Volkovs, Yu,
Poutanen, "DropoutNet: Addressing Cold Start in Recommender Systems", NeurIPS 2017); texts by latent
semantic analysis (Deerwester et al., 1990) of scikit-learn.

Belongs here: the model's parameters, both towers, and what is learned. Serving it needs no JAX
(`recsys.scoring.networks.two_tower`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.models.content import Content
from recsys.models.deep.held_out import HeldOut
from recsys.models.deep.losses import LossOfPlaces, LossPlan, loss_of_places
from recsys.models.deep.training import (
    BYTES_AN_INTERACTION,
    BYTES_OF_RUNTIME,
    COPIES_OF_ARRAYS,
    COPIES_OF_SCORES,
    Drop,
    Epoch,
    TrainingPlan,
    require_deep,
    train,
)
from recsys.recommender import ScorerRecommender
from recsys.scoring.histories import Histories
from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.networks.two_tower import TwoTower, user_vectors
from recsys.scoring.ranking import Float32, Int32, Int64

_LEARNED = ("wide", "wide_bias", "narrow", "narrow_bias")


class TwoTowers(ScorerRecommender):
    """score(u, i) = f(mean of what is read of u's items) . (own vector of i + what its text says).

    Recommends items without interactions, too, by their texts; `texts` as for Content. `width` is
    that of the vectors, `hidden` that of the layer in the tower of users, `topics` the size of the
    texts' vectors. `leave_out` is the share of items whose own vectors a step does not use, so that
    their texts learn to stand for them. A step has `batch` interactions, each predicted from
    `history` other items of its user, drawn anew each epoch. `negatives` items are sampled for each
    step, or the loss is over all items if it is 0. Weights do not count. One item of a tenth of the
    users validates each epoch by NDCG@10, as in models of sequences. One seed gives the same bytes
    on one machine with the same versions.

    `fit` raises DeepMissingError without the extra `deep`, and ValueError without a user of two
    items, or if the texts are not as many as the items.
    """

    name = "two_towers"

    def __init__(
        self,
        texts: Sequence[str | None],
        *,
        width: int = 64,
        hidden: int = 128,
        topics: int = 64,
        history: int = 50,
        leave_out: float = 0.3,
        negatives: int = 0,
        dropout: float = 0.2,
        learning_rate: float = 2e-3,
        decay: float = 0.0,
        batch: int = 512,
        epochs: int = 60,
        patience: int = 5,
        seed: int = 0,
    ) -> None:
        if min(width, hidden, topics, history) < 1 or not 0 <= leave_out < 1:
            raise ValueError(
                "two_towers needs width, hidden, topics and history >= 1, and leave_out from 0 to"
                f" below 1, but has {width}, {hidden}, {topics}, {history} and {leave_out}"
            )
        self._texts = texts
        self._size = _Size(width, hidden, topics, history, leave_out)
        loss = LossPlan(negatives=negatives)
        self._plan = TrainingPlan(
            loss, dropout, learning_rate, decay, batch, epochs, patience, seed
        )
        self.epochs_made: tuple[Epoch, ...] = ()

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """The constructor's parameters without the texts, which are data."""
        size = self._size
        return {
            **{"width": size.width, "hidden": size.hidden, "topics": size.topics},
            **{"history": size.history, "leave_out": size.leave_out},
            **{"negatives": self._plan.loss.negatives, **self._plan.parameters()},
        }

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        items = int(user_items.shape[1])
        size, plan = self._size, self._plan
        arrays = (2 * items + size.topics + 2 * size.hidden) * size.width * COPIES_OF_ARRAYS
        towers = items * (2 * size.width + size.topics) * COPIES_OF_SCORES
        scores = plan.batch * (plan.loss.negatives or items) * COPIES_OF_SCORES
        read = plan.batch * size.history * size.width * COPIES_OF_SCORES
        cells = arrays + towers + scores + read
        return BYTES_OF_RUNTIME + 4 * cells + BYTES_AN_INTERACTION * int(user_items.nnz)

    def _fit(self, user_items: Any) -> None:
        users, items = user_items.shape
        if len(self._texts) != items:
            raise ValueError(
                f"there are {len(self._texts)} texts for {items} items: give one for each column"
                " of the matrix, in its order"
            )
        if not (np.diff(user_items.indptr) > 1).any():
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items of whom nobody has"
                " two: widen the data window"
            )
        require_deep(self.name)
        histories = Histories.of(user_items)
        held = HeldOut.of(histories, self._plan.seed)
        counts = np.bincount(held.learned, minlength=items)
        of_texts = topics_of(self._texts, self._size.topics, self._plan.seed)
        known = (np.bincount(user_items.indices, minlength=items) > 0) | of_texts.any(axis=1)
        objective = _OtherItems(
            held.indptr,
            held.learned,
            of_texts,
            counts > 0,
            self._size,
            loss_of_places(self._plan.loss, counts),
        )

        def validate(arrays: Arrays) -> float:
            return float(held.ndcg(objective.scorer(arrays, known)).mean())

        can_validate = len(held.wanted) > 0
        trained = train(objective, self._plan, validate if can_validate else None)
        self.epochs_made = trained.epochs
        self._scorer = objective.scorer(trained.arrays, known)


@dataclass(frozen=True)
class _Size:
    width: int
    hidden: int
    topics: int
    history: int
    leave_out: float


def topics_of(texts: Sequence[str | None], topics: int, seed: int) -> Float32:
    """Vectors of unit length of texts, float32[texts, topics]; zero where a text has no word."""
    from sklearn.decomposition import TruncatedSVD

    words = Content(texts).vectors()
    found = np.zeros((len(texts), topics), dtype=np.float32)
    most = min(topics, min(words.shape) - 1)
    if words.nnz == 0 or most < 1:
        return found
    solver = TruncatedSVD(most, n_iter=7, random_state=seed)
    found[:, :most] = solver.fit_transform(words)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    unit: Float32 = found / np.maximum(norms, np.float32(1e-6))
    return unit


@dataclass(frozen=True)
class _OtherItems:
    """The objective: an item of a user is predicted from other items of the same user.

    `learned` int32 are the items of each user, by `indptr`; `of_texts` float32[items, topics];
    `had` bool[items] are the items with interactions, which have a vector of their own.
    """

    indptr: Int64
    learned: Int32
    of_texts: Float32
    had: NDArray[np.bool_]
    size: _Size
    of_places: LossOfPlaces
    dropouts: int = field(default=1, init=False)

    def initial(self, seed: int) -> dict[str, Float32]:
        random = np.random.default_rng(seed)
        width, hidden, topics = self.size.width, self.size.hidden, self.size.topics

        def drawn(rows: int, columns: int, scale: float) -> Float32:
            values: Float32 = random.standard_normal((rows, columns), dtype=np.float32)
            return values * np.float32(scale)

        items = len(self.had)
        return {
            "own": drawn(items, width, width**-0.5),
            "own_read": drawn(items, width, width**-0.5),
            "text": drawn(topics, width, topics**-0.5),
            "text_read": drawn(topics, width, topics**-0.5),
            "wide": drawn(width, hidden, width**-0.5),
            "wide_bias": np.zeros(hidden, dtype=np.float32),
            "narrow": drawn(hidden, width, 0.1 * hidden**-0.5),
            "narrow_bias": np.zeros(width, dtype=np.float32),
        }

    def batches(self, random: np.random.Generator, size: int) -> Iterator[tuple[Int32, ...]]:
        """Targets int32[size], and places of their histories int32[size, history], -1 for none."""
        lengths = np.diff(self.indptr)
        user = np.repeat(np.arange(len(lengths)), lengths)
        able = np.flatnonzero(lengths[user] > 1)
        order = random.permutation(able)
        for first in range(0, len(order), size):
            entries = order[first : first + size]
            # The last batch is filled up with entries of others, so that all have one shape.
            entries = np.concatenate((entries, random.choice(able, size - len(entries))))
            begin, others = self.indptr[user[entries]], lengths[user[entries]] - 1
            drawn = random.integers(0, others[:, None], (size, self.size.history))
            in_turn = np.arange(self.size.history)[None, :]
            # All others in turn where they are few enough, else as many draws.
            few = others[:, None] <= self.size.history
            place = np.where(few, in_turn, drawn)
            place += place >= (entries - begin)[:, None]
            items = self.learned[np.minimum(begin[:, None] + place, len(self.learned) - 1)]
            histories = np.where(few & (in_turn >= others[:, None]), -1, items)
            yield self.learned[entries], histories.astype(np.int32)

    def loss(self, arrays: Arrays, key: Any, drop: Drop, *parts: Any) -> Any:
        import jax
        import jax.numpy as jnp

        targets, histories = parts
        of_items, of_sample = jax.random.split(key)
        kept = jax.random.bernoulli(of_items, 1 - self.size.leave_out, self.had.shape)
        items, read = self._towers(arrays, self.had & kept)
        there = histories >= 0
        of_history = jnp.where(there[..., None], read[histories], 0)
        means = of_history.sum(axis=1) / jnp.maximum(there.sum(axis=1), 1)[:, None]
        states = user_vectors(jnp, arrays, drop(means))
        return self.of_places(states[:, None], items, targets[:, None], of_sample).mean()

    def _towers(self, arrays: Arrays, own: Any) -> tuple[Any, Any]:
        """The vectors of items, and what is read of them; `own` says whose own vectors count."""
        uses = own[:, None]
        items = uses * arrays["own"] + self.of_texts @ arrays["text"]
        read = uses * arrays["own_read"] + self.of_texts @ arrays["text_read"]
        return items, read

    def scorer(self, arrays: Arrays, known: NDArray[np.bool_]) -> TwoTower:
        items, read = self._towers(arrays, self.had)
        network = {"items": items, "read": read, **{name: arrays[name] for name in _LEARNED}}
        return TwoTower({n: np.asarray(v, dtype=np.float32) for n, v in network.items()}, known)
