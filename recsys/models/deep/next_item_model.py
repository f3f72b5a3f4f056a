"""What all models of sequences share: what they learn and validate, and how they are trained.

Belongs here: the fit, and the parameters of a training. Does not belong here: the network of a
model (one file each beside), and the steps of a training (`training`).
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.models.deep.held_out import HeldOut
from recsys.models.deep.losses import LossOfPlaces, loss_of_places
from recsys.models.deep.network import Network
from recsys.models.deep.packing import SequencePieces, pack
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
from recsys.recommender import SequenceRecommender
from recsys.scoring.histories import Histories
from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.networks.sequence_scorer import SequenceScorer
from recsys.scoring.ranking import Float32, Int32, Int64


class NextItemModel(SequenceRecommender):
    """A network that is trained to predict the next item of each sequence.

    The items of a user are ordered by the time when the user first had each. Weights do not count.
    The newest item of a tenth of the users validates each epoch by NDCG@10; training ends after
    `patience` epochs without a better one, and keeps the best. With fewer than twenty such users,
    all `epochs` are made. `epochs_made` says after the fit how each went.

    `fit` raises DeepMissingError without the extra `deep`, and ValueError without times or
    interactions.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        self._plan = plan
        self.epochs_made: tuple[Epoch, ...] = ()

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return {**self._own_parameters(), **self._plan.parameters()}

    @abstractmethod
    def _own_parameters(self) -> Mapping[str, int | float | str]:
        """The parameters that are not those of the training."""

    @abstractmethod
    def _network(self, items: int) -> Network:
        """The network for so many items."""

    @abstractmethod
    def _scorer_of(self, arrays: Arrays, known: Any, histories: Histories) -> SequenceScorer:
        """The scorer of learned arrays, with the users of these histories."""

    @abstractmethod
    def _cells(self, items: int) -> tuple[int, int]:
        """The cells of the arrays, and those that a place of a row keeps for the gradient."""

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        users, items = map(int, user_items.shape)
        network, plan = self._network(items), self._plan
        tokens = plan.batch * network.length
        of_arrays, of_place = self._cells(items)
        scores = tokens * (plan.loss.negatives or items) * COPIES_OF_SCORES
        cells = of_arrays * COPIES_OF_ARRAYS + scores + tokens * of_place + users * self._width
        return BYTES_OF_RUNTIME + 4 * cells + BYTES_AN_INTERACTION * int(user_items.nnz)

    @property
    @abstractmethod
    def _width(self) -> int:
        """The width of what the network reads of a user."""

    def _fit_in_order(self, user_items: Any, times: Int64) -> None:
        users, items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        require_deep(self.name)
        histories = Histories.of(user_items, times)
        counts = np.bincount(user_items.indices, minlength=items)
        held = HeldOut.of(histories, self._plan.seed)
        network = self._network(items)
        pieces = SequencePieces.of(held.indptr, held.learned, network.length)
        of_places = loss_of_places(self._plan.loss, np.bincount(pieces.items, minlength=items))

        def validate(arrays: Arrays) -> float:
            return float(held.ndcg(self._scorer_of(arrays, counts > 0, held.before)).mean())

        can_validate = len(held.wanted) > 0
        objective = _NextItem(pieces, network, of_places)
        trained = train(objective, self._plan, validate if can_validate else None)
        self.epochs_made = trained.epochs
        self._scorer = self._scorer_of(trained.arrays, counts > 0, histories)


@dataclass(frozen=True)
class _NextItem:
    """The objective: each place of a packed row predicts the item that follows."""

    pieces: SequencePieces
    network: Network
    of_places: LossOfPlaces

    @property
    def dropouts(self) -> int:
        return self.network.dropouts

    def initial(self, seed: int) -> dict[str, Float32]:
        return self.network.initial(seed)

    def batches(self, random: np.random.Generator, size: int) -> Iterator[tuple[Int32, ...]]:
        order, network = random.permutation(len(self.pieces)), self.network
        rows = pack(self.pieces, order, network.length, network.items, size)
        parts = (rows.inputs, rows.targets, rows.segments, rows.places)
        for first in range(0, len(rows), size):
            yield tuple(part[first : first + size] for part in parts)

    def loss(  # noqa: PLR0917  (each is another thing)
        self,
        arrays: Arrays,
        key: Any,
        drop: Drop,
        inputs: Any,
        targets: Any,
        segments: Any,
        places: Any,
    ) -> Any:
        import jax.numpy as jnp

        states = self.network.states(arrays, inputs, segments, places, drop)
        of_places = self.of_places(states, arrays["tokens"][:-1], targets, key)
        counts = segments > 0
        return jnp.where(counts, of_places, 0).sum() / jnp.maximum(counts.sum(), 1)
