"""SASRec: self-attention over the sequence of a user's items, trained by JAX.

Source: Kang, McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018). The loss is
cross-entropy over all items, or over many sampled ones, see `losses`.

Belongs here: the model's parameters and its network. Serving it needs no JAX
(`recsys.scoring.networks.self_attention`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.models.deep.losses import LossPlan
from recsys.models.deep.network import Network
from recsys.models.deep.next_item_model import NextItemModel
from recsys.models.deep.training import TrainingPlan
from recsys.scoring.histories import Histories
from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.networks.self_attention import SelfAttention, hidden_states
from recsys.scoring.ranking import Float32

_START = 0.02
# Of what each place reads, in a block, kept for the gradient; and of each pair of places.
_STATES_A_BLOCK, _PAIRS_A_BLOCK = 16, 6


class SASRec(NextItemModel):
    """score(u, i) = h . e_i, with h what a transformer reads from the newest `length` items of u.

    `width` is that of the vectors, `blocks` and `heads` are those of the attention. `negatives`
    items are sampled for each step, or the loss is over all items if it is 0. A step has `batch`
    rows of `length` places. One seed gives the same bytes on one machine with the same versions.
    What is learned, validated and raised: see NextItemModel.
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
        if min(width, blocks, heads, length) < 1 or width % heads:
            raise ValueError(
                "sasrec needs width, blocks, heads and length >= 1, and a width that heads divide,"
                f" but has {width}, {blocks}, {heads} and {length}"
            )
        loss = LossPlan(negatives=negatives)
        super().__init__(
            TrainingPlan(loss, dropout, learning_rate, decay, batch, epochs, patience, seed)
        )
        self._size = AttentionNetwork(0, width, blocks, heads, length)

    def _own_parameters(self) -> Mapping[str, int | float | str]:
        names = ("width", "blocks", "heads", "length")
        own = {name: getattr(self._size, name) for name in names}
        return {**own, "negatives": self._plan.loss.negatives}

    @property
    def _width(self) -> int:
        return self._size.width

    def _cells(self, items: int) -> tuple[int, int]:
        size = self._size
        arrays = (items + size.length + 6 * size.blocks * size.width) * size.width
        states = size.blocks * size.width * _STATES_A_BLOCK
        return arrays, states + size.blocks * size.heads * size.length * _PAIRS_A_BLOCK

    def _network(self, items: int) -> Network:
        size = self._size
        return AttentionNetwork(items, size.width, size.blocks, size.heads, size.length)

    def _scorer_of(self, arrays: Arrays, known: Any, histories: Histories) -> SelfAttention:
        return SelfAttention.of_learned(arrays, known, self._size.heads, histories)


@dataclass(frozen=True)
class AttentionNetwork:
    """The network of `recsys.scoring.networks.self_attention`, to be trained."""

    items: int
    width: int
    blocks: int
    heads: int
    length: int

    @property
    def dropouts(self) -> int:
        """As promised by Network."""
        return 2 * self.blocks + 1

    def initial(self, seed: int) -> dict[str, Float32]:
        """As promised by Network."""
        random = np.random.default_rng(seed)
        width, blocks = self.width, self.blocks

        def drawn(*shape: int) -> Float32:
            values: Float32 = random.standard_normal(shape, dtype=np.float32)
            return values

        square = (blocks, width, width)
        return {
            "tokens": drawn(self.items + 1, width) * np.float32(_START),
            "places": drawn(self.length + 1, width) * np.float32(_START),
            **{
                name: drawn(*square) * np.float32(width**-0.5)
                for name in ("query", "key", "value", "mixed", "wide", "narrow")
            },
            "wide_bias": np.zeros((blocks, width), dtype=np.float32),
            "narrow_bias": np.zeros((blocks, width), dtype=np.float32),
            "scales": np.ones((2 * blocks + 1, width), dtype=np.float32),
            "shifts": np.zeros((2 * blocks + 1, width), dtype=np.float32),
        }

    def states(
        self, arrays: Arrays, inputs: Any, segments: Any, places: Any, drop: Callable[[Any], Any]
    ) -> Any:
        """As promised by Network: a place reads those before it in its own segment."""
        import jax.numpy as jnp

        same = segments[:, :, None] == segments[:, None, :]
        visible = same & jnp.tril(jnp.ones((self.length, self.length), dtype=bool))
        return hidden_states(jnp, arrays, self.heads, inputs, places, visible, drop)
