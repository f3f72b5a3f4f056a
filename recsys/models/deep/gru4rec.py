"""GRU4Rec: a recurrent network over the sequence of a user's items, trained by JAX.

Source: Hidasi, Karatzoglou, Baltrunas, Tikk, "Session-based Recommendations with Recurrent Neural
Networks" (ICLR 2016), with the authors' later losses, see `losses`. Here a sequence is all of a
user's items, not a session, and a batch is made of packed rows, not of parallel sessions.

Belongs here: the model's parameters and its network. Serving it needs no JAX
(`recsys.scoring.networks.recurrent`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.models.deep.losses import CROSS_ENTROPY, LossPlan
from recsys.models.deep.network import Network
from recsys.models.deep.next_item_model import NextItemModel
from recsys.models.deep.training import TrainingPlan
from recsys.scoring.histories import Histories
from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.networks.recurrent import Recurrent, hidden_states
from recsys.scoring.ranking import Float32

# Of what each place reads, in a layer, kept for the gradient.
_STATES_A_LAYER = 16


class GRU4Rec(NextItemModel):
    """score(u, i) = h . e_i, with h what gated recurrent units read from the newest `length` items.

    `width` is that of the vectors and units, `layers` the number of layers of units. `loss` is
    cross_entropy or bpr_max; `negatives` items are sampled for each step by their number of users
    to the power of `popularity`, or the loss is over all items if it is 0, which bpr_max does not
    allow; `penalty` is that of bpr_max. A step has `batch` rows of `length` places. One seed gives
    the same bytes on one machine with the same versions. What is learned, validated and raised: see
    NextItemModel.
    """

    name = "gru4rec"

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 1,
        length: int = 50,
        loss: str = CROSS_ENTROPY,
        negatives: int = 0,
        popularity: float = 0.5,
        penalty: float = 0.0,
        dropout: float = 0.2,
        learning_rate: float = 2e-3,
        decay: float = 0.0,
        batch: int = 8,
        epochs: int = 100,
        patience: int = 5,
        seed: int = 0,
    ) -> None:
        if min(width, layers, length) < 1:
            raise ValueError(
                f"gru4rec needs width, layers and length >= 1, but has {width}, {layers}, {length}"
            )
        chosen = LossPlan(loss, negatives, popularity, penalty)
        super().__init__(
            TrainingPlan(chosen, dropout, learning_rate, decay, batch, epochs, patience, seed)
        )
        self._size = RecurrentNetwork(0, width, layers, length)

    def _own_parameters(self) -> Mapping[str, int | float | str]:
        size, loss = self._size, self._plan.loss
        return {
            **{"width": size.width, "layers": size.layers, "length": size.length},
            **{"loss": loss.name, "negatives": loss.negatives},
            **{"popularity": loss.popularity, "penalty": loss.penalty},
        }

    @property
    def _width(self) -> int:
        return self._size.width

    def _cells(self, items: int) -> tuple[int, int]:
        size = self._size
        arrays = (items + 6 * size.layers * size.width) * size.width
        return arrays, size.layers * size.width * _STATES_A_LAYER

    def _network(self, items: int) -> Network:
        return RecurrentNetwork(items, self._size.width, self._size.layers, self._size.length)

    def _scorer_of(self, arrays: Arrays, known: Any, histories: Histories) -> Recurrent:
        return Recurrent.of_learned(arrays, known, self._size.length, histories)


@dataclass(frozen=True)
class RecurrentNetwork:
    """The network of `recsys.scoring.networks.recurrent`, to be trained."""

    items: int
    width: int
    layers: int
    length: int

    @property
    def dropouts(self) -> int:
        """As promised by Network."""
        return self.layers + 1

    def initial(self, seed: int) -> dict[str, Float32]:
        """As promised by Network."""
        random = np.random.default_rng(seed)
        width, layers = self.width, self.layers

        def drawn(*shape: int) -> Float32:
            values: Float32 = random.standard_normal(shape, dtype=np.float32)
            return values * np.float32(width**-0.5)

        return {
            "tokens": drawn(self.items + 1, width),
            "inputs": drawn(layers, width, 3 * width),
            "gates": drawn(layers, width, 2 * width),
            "candidates": drawn(layers, width, width),
            "biases": np.zeros((layers, 3 * width), dtype=np.float32),
        }

    def states(
        self, arrays: Arrays, inputs: Any, segments: Any, places: Any, drop: Callable[[Any], Any]
    ) -> Any:
        """As promised by Network: a sequence begins where its place is the first."""
        import jax

        del segments
        return hidden_states(jax.numpy, arrays, inputs, places == 0, jax.lax.scan, drop)
