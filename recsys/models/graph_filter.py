"""The graph filter: neighbours and a low pass on the normalised graph of users and items.

Source: Shen et al., "How Powerful is Graph Convolution for Recommendation?" (CIKM 2021), GF-CF:
a linear filter R~' R~ plus an ideal low pass V V'. Three changes lead from its published figures
to ours (measured in docs/recommenders.md): each part has degree exponents of its own, after the
asymmetric normalisation of "Turbo-CF" (Park et al., SIGIR 2024) and "Blurring-Sharpening Process
Models" (Choi et al., SIGIR 2023); the low pass is four times as wide; and both parts are brought to
one scale before they are added.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.memory import shared_cells
from recsys.models.numerics.blas_threads import fixed_blas_threads
from recsys.models.numerics.low_pass import right_singular_vectors
from recsys.models.numerics.spread import mean_spreads
from recsys.models.numerics.top_k import top_k_of_rows
from recsys.recommender import ItemFilterRecommender
from recsys.scoring.histories import Histories
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import Float32, Float64, ItemLists

# N in its three makings, each with its column indices.
_BYTES_A_CELL = 36
# The sample of both sides of the low pass, with its product and its basis.
_BYTES_A_FACTOR = 12
# The greatest width of the low pass, as a share of users and of items: a wider one overfits.
_WIDEST = 1 / 20


class GraphFilter(ItemFilterRecommender):
    """scores = h (N + g L), h a user's row of weights w ^ weight_exponent.

    N = Di^-history_exponent R' Du^-user_exponent R Di^-item_exponent without its diagonal, of which
    each item keeps its `neighbours` largest; R is users x items, Du and Di are the sums of its rows
    and columns. L = Di^-b V V' Di^b, V the `width` leading right singular vectors of
    Du^-low_pass_user_exponent R Di^-b with b = `low_pass_item_exponent`. g makes the scores of L
    vary over items `low_pass_weight` times as much as those of N.

    `width` is cut to a twentieth of the users and of the items. The seed fixes the filter, byte
    for byte, whatever the number of cores (see `blas_threads`). Raises ValueError for a matrix
    without interactions.
    """

    name = "graph_filter"

    def __init__(
        self,
        *,
        width: int = 1000,
        neighbours: int = 200,
        low_pass_weight: float = 1.0,
        user_exponent: float = 0.6,
        history_exponent: float = 0.5,
        item_exponent: float = 0.3,
        low_pass_user_exponent: float = 0.25,
        low_pass_item_exponent: float = 0.5,
        weight_exponent: float = 0.5,
        seed: int = 0,
    ) -> None:
        if width < 0 or neighbours < 1 or low_pass_weight < 0 or weight_exponent < 0:
            raise ValueError(
                "the graph filter needs width >= 0, neighbours >= 1, low_pass_weight >= 0 and"
                f" weight_exponent >= 0, but has {width}, {neighbours}, {low_pass_weight} and"
                f" {weight_exponent}"
            )
        self.weight_exponent = weight_exponent
        self._width, self._neighbours, self._low_pass_weight = width, neighbours, low_pass_weight
        self._exponents = (user_exponent, history_exponent, item_exponent)
        self._low_pass_exponents = (low_pass_user_exponent, low_pass_item_exponent)
        self._seed = seed

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        user, history, item = self._exponents
        low_pass_user, low_pass_item = self._low_pass_exponents
        return {
            "width": self._width,
            "neighbours": self._neighbours,
            "low_pass_weight": self._low_pass_weight,
            "user_exponent": user,
            "history_exponent": history,
            "item_exponent": item,
            "low_pass_user_exponent": low_pass_user,
            "low_pass_item_exponent": low_pass_item,
            "weight_exponent": self.weight_exponent,
            "seed": self._seed,
        }

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        near = shared_cells(user_items) * _BYTES_A_CELL
        far = int(sum(user_items.shape)) * self._width_for(user_items) * _BYTES_A_FACTOR
        return max(near, far)

    def _width_for(self, user_items: Any) -> int:
        return min(self._width, int(min(user_items.shape) * _WIDEST))

    def _learn(self, user_items: Any) -> ItemFilter:
        users, items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        with fixed_blas_threads():
            return self._filter(user_items)

    def _filter(self, user_items: Any) -> ItemFilter:
        items = user_items.shape[1]
        degrees = _degrees(user_items)
        near = ItemFilter.of_sparse(
            top_k_of_rows(self._near(user_items, *degrees), self._neighbours)
        )
        width = self._width_for(user_items)
        if width == 0 or self._low_pass_weight == 0:
            return near
        left, right = self._low_pass(user_items, *degrees, width)
        far = ItemFilter(_no_neighbours(items), np.zeros(0, np.float32), left, right)
        histories = Histories.of(user_items)
        of_near, of_far = mean_spreads([(near, histories), (far, histories)])
        # If one part is zero everywhere, for example without neighbours, there is no ratio.
        ratio = of_near / of_far if min(of_near, of_far) > 0 else 1.0
        gain = self._low_pass_weight * ratio
        return ItemFilter(near.neighbours, near.values, left * np.float32(gain), right)

    def _near(self, user_items: Any, of_user: Float64, of_item: Float64) -> Any:
        """N, all of it."""
        import scipy.sparse

        user, history, item = self._exponents
        damped = scipy.sparse.diags(_power(of_user, -user)) @ user_items
        shared = (user_items.T @ damped).tocsr()
        shared.setdiag(0)
        shared.eliminate_zeros()
        scaled = scipy.sparse.diags(_power(of_item, -history)) @ shared
        return (scaled @ scipy.sparse.diags(_power(of_item, -item))).tocsr()

    def _low_pass(
        self, user_items: Any, of_user: Float64, of_item: Float64, width: int
    ) -> tuple[Float32, Float32]:
        """Left and right of L, float32[items, width]."""
        import scipy.sparse

        user, item = self._low_pass_exponents
        damped = scipy.sparse.diags(_power(of_user, -user)) @ user_items
        normal = (damped @ scipy.sparse.diags(_power(of_item, -item))).tocsr()
        vectors = right_singular_vectors(normal.astype(np.float32), width, self._seed)
        return vectors * _power(of_item, -item)[:, None], vectors * _power(of_item, item)[:, None]


def _degrees(user_items: Any) -> tuple[Float64, Float64]:
    """Sums of rows and columns; the unit of the weights is taken out, by their mean."""
    mean = user_items.data.mean(dtype=np.float64)
    of_user, of_item = (
        np.asarray(user_items.sum(axis=axis, dtype=np.float64)).ravel() / mean for axis in (1, 0)
    )
    return of_user, of_item


def _power(degrees: Float64, exponent: float) -> Float32:
    """Powers of the degrees; zero for a degree of zero."""
    safe = np.where(degrees > 0, degrees, 1.0)
    powers: Float32 = np.where(degrees > 0, safe**exponent, 0.0).astype(np.float32)
    return powers


def _no_neighbours(items: int) -> ItemLists:
    return ItemLists(np.zeros(items + 1, dtype=np.int64), np.zeros(0, dtype=np.int32))
