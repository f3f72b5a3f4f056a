"""The interface of every model.

Belongs here: what a model promises, and what all models share: checks of the input, batches,
filtering of seen items. Does not belong here: any particular model (one file each in `models/`).

Conventions, stated once: matrices are users x items; indices are positions in the id maps of an
InteractionMatrix; a higher score is better; ties go to the more popular item, then to
the lower item index (`ranking`). A score of 0 says that the model knows nothing of the pair.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from recsys.memory import decline_if_too_large
from recsys.scoring.dense_filter import DenseFilter
from recsys.scoring.factors import Factors
from recsys.scoring.histories import Histories
from recsys.scoring.item_filter import ItemFilter
from recsys.scoring.ranking import (
    Float32,
    Int32,
    Int64,
    ItemLists,
    Ranked,
    popular_first,
    rank_in_batches,
)
from recsys.scoring.scorer import Scorer

# Copies of float32: in the solver, in the model, and during the check.
_BYTES_A_FACTOR = 12


class Recommender(ABC):
    """A model: fit once, then recommend in batches of any size within bounded memory."""

    name: ClassVar[str]
    memory_gib: float | None = None
    """The memory that a fit may use, in GiB; None: nine tenths of the free memory."""
    places: Int32 | None = None
    """The place of each item by popularity, int32[items], set by `fit`; it orders equal scores."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, int | float | str]:
        """The parameters of the constructor, from which an equal model can be constructed."""

    def fit(self, user_items: Any, times: Int64 | None = None) -> Self:
        """Learn from a csr_matrix float32[users, items] of weights > 0; returns the model.

        `times` int64 of its stored entries, see InteractionMatrix, are needed by models of
        sequences, and others ignore them. The matrix is not changed. Raises ValueError for weights
        that are NaN, infinite or not positive, and where the model cannot learn from so little (its
        docstring says); TooLargeError, before anything is computed, where memory is not enough.
        """
        if not (np.isfinite(user_items.data).all() and (user_items.data > 0).all()):
            raise ValueError(
                f"{self.name} cannot learn from weights that are NaN, infinite, zero or negative:"
                " build the matrix with InteractionMatrix.from_table, which refuses them"
            )
        needed = self.bytes_needed(user_items)
        decline_if_too_large(self.name, user_items.shape, needed, self.memory_gib)
        self._fit_with_times(user_items, times)
        self.places = popular_first(np.bincount(user_items.indices, minlength=user_items.shape[1]))
        return self

    def bytes_needed(self, user_items: Any) -> int:
        """The approximate peak memory of a fit, without the matrix and a few copies of it."""
        del user_items
        return 0

    def _fit_with_times(self, user_items: Any, times: Int64 | None) -> None:
        """Learn from a checked matrix, and from times if the model reads them."""
        del times
        self._fit(user_items)

    @abstractmethod
    def _fit(self, user_items: Any) -> None:
        """Learn from a checked matrix."""

    @abstractmethod
    def scores(self, user_indices: NDArray[np.integer], user_items: Any) -> Float32:
        """Scores of all items, float32[len(user_indices), items], in an array of the caller's.

        `user_items` is the CSR whose row r is what user_indices[r] has interacted with.
        """

    @abstractmethod
    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """The `n` most similar other items: ids int32[items, n], likeness float32[items, n].

        Padded with id -1 and score -inf where fewer are alike.
        """

    @abstractmethod
    def fold_in(self, user_items: Any, times: Int64 | None = None) -> Float32:
        """Scores of all items for users who were not fitted, float32[rows, items].

        Row r of the CSR `user_items` holds a user's weights of items; `times` as for `fit`.
        """

    def recommend_new(self, user_items: Any, n: int, times: Int64 | None = None) -> Ranked:
        """The best `n` other items for users who were not fitted; see `fold_in`, `recommend`."""

        def scores(rows: slice) -> Float32:
            entries = slice(user_items.indptr[rows.start], user_items.indptr[rows.stop])
            return self.fold_in(user_items[rows], None if times is None else times[entries])

        return rank_in_batches(
            scores,
            ItemLists.of(user_items),
            user_items.shape[1],
            n,
            self.places,
        )

    def recommend(self, user_indices: NDArray[np.integer], user_items: Any, n: int) -> Ranked:
        """The best `n` items that each user has not seen.

        `user_items` is a CSR with one row for each of `user_indices`: what that user has seen.
        Returns ids int32[users, n] and scores float32[users, n], best first, padded with id -1
        and score -inf where fewer items are left. Items of score 0 are there by their popularity.
        Raises ValueError if the rows do not match.
        """
        if user_items.shape[0] != len(user_indices):
            raise ValueError(
                f"user_items has {user_items.shape[0]} rows for {len(user_indices)} users:"
                " pass matrix[user_indices]"
            )
        return rank_in_batches(
            lambda rows: self.scores(user_indices[rows], user_items[rows]),
            ItemLists.of(user_items),
            user_items.shape[1],
            n,
            self.places,
        )


class ScorerRecommender(Recommender):
    """A model whose fit gives the arrays of a scorer, which can be published."""

    weight_exponent: float = 1.0
    """The exponent of the weights of histories; at 0 all interactions weigh the same."""
    _scorer: Scorer | None = None

    @property
    def scorer(self) -> Scorer:
        """What was learned; raises RuntimeError before `fit`."""
        if self._scorer is None:
            raise RuntimeError(f"{self.name} is not fitted: call fit(matrix.csr) first")
        return self._scorer

    reads_times: ClassVar[bool] = False
    """Whether it reads the order of histories."""

    def histories(self, user_items: Any, times: Int64 | None = None) -> Histories:
        """The rows of a CSR as this model counts them, and as its artifact stores them."""
        own = Histories.of(user_items, times if self.reads_times else None)
        return replace(own, weights=own.weights ** np.float32(self.weight_exponent))

    def scores(self, user_indices: NDArray[np.integer], user_items: Any) -> Float32:
        """As promised by Recommender; the users must be among those fitted.

        A user without interactions is scored as a new one: what was learned of them means nothing.
        """
        histories = self.histories(user_items)
        scores = self.scorer.scores(user_indices, histories)
        unknown = np.flatnonzero(histories.lists.lengths == 0)
        if len(unknown):
            scores[unknown] = self.scorer.fold_in(histories.take(unknown))
        return scores

    def fold_in(self, user_items: Any, times: Int64 | None = None) -> Float32:
        """As promised by Recommender."""
        return self.scorer.fold_in(self.histories(user_items, times))

    def similar_items(self, item_indices: NDArray[np.integer], n: int) -> Ranked:
        """As promised by Recommender."""
        return self.scorer.similar_items(item_indices, n)


class FactorRecommender(ScorerRecommender):
    """A model whose fit gives two arrays of factors."""

    @property
    def factors(self) -> Factors:
        """What was learned; raises RuntimeError before `fit`."""
        return cast(Factors, self.scorer)

    def bytes_needed(self, user_items: Any) -> int:
        """As promised by Recommender."""
        width = int(self.parameters.get("factors", 1))
        return int(sum(user_items.shape)) * width * _BYTES_A_FACTOR

    def _fit(self, user_items: Any) -> None:
        self._scorer = self._learn(user_items)

    @abstractmethod
    def _learn(self, user_items: Any) -> Factors:
        """Factors for every user and item of a checked matrix."""


class ItemFilterRecommender(ScorerRecommender):
    """A model whose fit gives an item filter, which scores users only by their histories."""

    @property
    def item_filter(self) -> ItemFilter | DenseFilter:
        """What was learned; raises RuntimeError before `fit`."""
        return cast(ItemFilter | DenseFilter, self.scorer)

    def _fit(self, user_items: Any) -> None:
        damped = user_items.copy()
        if user_items.nnz:
            # In units of the mean weight, so that products of large weights fit into float32. The
            # unit changes the scale of a filter at most, and never a ranking.
            powers = user_items.data.astype(np.float64) ** self.weight_exponent
            damped.data = (powers / powers.mean()).astype(np.float32)
        self._scorer = self._learn(damped)

    @abstractmethod
    def _learn(self, user_items: Any) -> ItemFilter | DenseFilter:
        """The filter of a checked matrix, whose weights are to the power of `weight_exponent` and
        in units of their mean.
        """


class SequenceRecommender(ScorerRecommender):
    """A model that learns from the order in which users had their items."""

    reads_times = True

    def _fit_with_times(self, user_items: Any, times: Int64 | None) -> None:
        if times is None or len(times) != user_items.nnz:
            found = "none" if times is None else f"{len(times)}"
            raise ValueError(
                f"{self.name} learns from the order of interactions, and needs a time for each of"
                f" {user_items.nnz} but has {found}: build the matrix from rows with event_time,"
                " and call fit(matrix.csr, matrix.times)"
            )
        self._fit_in_order(user_items, times)

    def _fit(self, user_items: Any) -> None:
        self._fit_with_times(user_items, None)

    @abstractmethod
    def _fit_in_order(self, user_items: Any, times: Int64) -> None:
        """Learn from a checked matrix and the time of each stored entry."""
