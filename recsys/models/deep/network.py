"""The interface of networks that JAX trains to predict the next item of a sequence.

Belongs here: the protocol that a training needs. To add a network, write a class that implements it
beside its model, and its scorer in `scoring/networks`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from recsys.scoring.networks.item_vectors import Arrays
from recsys.scoring.ranking import Float32


class Network(Protocol):
    """A network for `items` items, which reads rows of `length` places."""

    @property
    def items(self) -> int:
        """The number of items."""

    @property
    def length(self) -> int:
        """The number of places of a row."""

    @property
    def dropouts(self) -> int:
        """How often `states` drops."""

    def initial(self, seed: int) -> dict[str, Float32]:
        """The arrays with which training begins; `tokens` [items + 1, w] is one of them."""

    def states(
        self,
        arrays: Arrays,
        inputs: Any,
        segments: Any,
        places: Any,
        drop: Callable[[Any], Any],
    ) -> Any:
        """What the network has read at each place, by JAX; see `PackedRows` for the inputs."""
