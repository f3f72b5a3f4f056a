"""Chooses lists from the best items of users: what is new, unlike each other, few of a creator.

Belongs here: the choice, on arrays, for a consumer and for the serving tables. NumPy and pyarrow
only. Does not belong here: where the best items come from (`ranking`), ids of users.

Source: Carbonell, Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents
and Producing Summaries" (SIGIR 1998).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from recsys.scoring.ranking import NO_ITEM, Float32, Int32, Int64, batches
from recsys.scoring.scorer import Scorer

# The items from which a list is chosen, for each place of it.
_POOL_A_PLACE = 5
_LEAST_POOL = 50
# The most alike items of an item that are compared; all others count as unlike.
_NEIGHBOURS = 100
_CELLS = 1 << 20
NO_CREATOR = -1


@dataclass(frozen=True)
class Weights:
    """What a list is to be like, beside being what the user wants.

    `diversity` from 0 to 1 is the weight of being unlike the items before, against the score;
    `freshness` from 0 to 1 that of being new: an item of age 0 counts 1, one of `fresh_days` .5. At
    most `most_of_creator` items of one creator are in a list (None: any number). Raises ValueError
    for values out of range.
    """

    diversity: float = 0.0
    freshness: float = 0.0
    fresh_days: float = 7.0
    most_of_creator: int | None = None

    def __post_init__(self) -> None:
        for name in ("diversity", "freshness"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}: give a weight from 0 to 1",
                )
        if not 0 < self.fresh_days < np.inf:
            raise ValueError(f"fresh_days is {self.fresh_days}: give a number of days above 0")
        if self.most_of_creator is not None and self.most_of_creator < 1:
            raise ValueError(f"most_of_creator is {self.most_of_creator}: give 1 or more, or None")

    @property
    def changes_nothing(self) -> bool:
        """Whether every list stays the model's."""
        return self.diversity == 0 and self.freshness == 0 and self.most_of_creator is None


@dataclass(frozen=True)
class ItemTraits:
    """What is known of each item: `creators` int64[items], equal for one creator, NO_CREATOR if
    unknown; `age_days` float32[items], NaN if unknown, which counts as old.
    """

    creators: Int64
    age_days: Float32

    @classmethod
    def of(cls, items: Any, table: Any | None) -> "ItemTraits":
        """From a pa.Table of item_id, creator and age_days, null where unknown."""
        count = len(items)
        if table is None:
            unknown = np.full(count, np.nan, dtype=np.float32)
            return cls(np.full(count, NO_CREATOR, dtype=np.int64), unknown)
        place = pc.index_in(items, value_set=table["item_id"].combine_chunks())
        creators = table["creator"].combine_chunks().take(place).dictionary_encode().indices
        ages = table["age_days"].combine_chunks().take(place).cast("float32")
        return cls(
            pc.fill_null(creators, NO_CREATOR).to_numpy(zero_copy_only=False).astype(np.int64),
            ages.to_numpy(zero_copy_only=False),
        )


def pool_size(n: int) -> int:
    """How many of the best items a list of `n` is chosen from."""
    return max(_LEAST_POOL, _POOL_A_PLACE * n)


def choose(  # noqa: PLR0917  (each is another thing)
    scorer: Scorer, ids: Int32, scores: Float32, n: int, weights: Weights, traits: ItemTraits
) -> Int64:
    """The columns of `ids` that make each list, in its order: int64[rows, n], -1 at its end.

    `ids` int32[rows, pool] has the best items of each row, and NO_ITEM as padding, with their
    `scores`.
    """
    rows, pool = ids.shape
    chosen = np.full((rows, n), -1, dtype=np.int64)
    for part in batches(rows, pool * pool, _CELLS):
        chosen[part] = _chosen(scorer, ids[part], scores[part], n, weights, traits)
    return chosen


def _chosen(  # noqa: PLR0917  (each is another thing)
    scorer: Scorer, items: Int32, scores: Float32, n: int, weights: Weights, traits: ItemTraits
) -> Int64:
    there = items != NO_ITEM
    held = np.maximum(items, 0)
    alike = _alike(scorer, items) if weights.diversity > 0 else None
    wanted: Float32 = _to_unit(np.where(there, scores, np.nan))
    if weights.freshness > 0:
        fresh = np.nan_to_num(np.exp2(-np.maximum(traits.age_days, 0) / weights.fresh_days))
        wanted += weights.freshness * (fresh.astype(np.float32)[held] - wanted)
    wanted *= 1 - weights.diversity
    of_creator = np.where(there, traits.creators[held], NO_CREATOR)
    nearest = np.zeros_like(wanted)
    used = np.zeros(items.shape, dtype=np.int64)
    open_ = there.copy()
    every = np.arange(len(items))
    chosen = np.full((len(items), n), -1, dtype=np.int64)
    for place in range(min(n, items.shape[1])):
        value = np.where(open_, wanted - weights.diversity * nearest, -np.inf)
        pick = value.argmax(axis=1)
        is_left = open_[every, pick]
        chosen[is_left, place] = pick[is_left]
        open_[every, pick] = False
        if alike is not None:
            nearest = np.maximum(nearest, alike[every, pick])
        if weights.most_of_creator is not None:
            its = of_creator[every, pick][:, None]
            used += (of_creator == its) & (its != NO_CREATOR) & is_left[:, None]
            open_ &= used < weights.most_of_creator
    return chosen


def _alike(scorer: Scorer, items: Any) -> Float32:
    """How alike the items of each row are, float32[rows, places, places], from 0 to 1: likeness as
    a share of that of the most alike item.
    """
    unique, place = np.unique(items, return_inverse=True)
    place = place.reshape(items.shape)
    ids, likeness = scorer.similar_items(np.maximum(unique, 0), _NEIGHBOURS)
    share = np.where(ids >= 0, likeness / np.maximum(likeness[:, :1], 1e-12), 0)
    table = np.zeros((len(unique), len(unique)), dtype=np.float32)
    column = np.searchsorted(unique, ids)
    column = np.minimum(column, len(unique) - 1)
    met = (unique[column] == ids) & (ids >= 0) & (unique >= 0)[:, None]
    source = np.nonzero(met)[0]
    table[source, column[met]] = share[met]
    table = np.maximum(table, table.T)
    found: Float32 = table[place[:, :, None], place[:, None, :]]
    return found


def _to_unit(scores: Float32) -> Float32:
    """Scores of each row from 0 to 1; padding is NaN before and 0 after."""
    low, high = (
        f(np.where(np.isnan(scores), limit, scores), axis=1)[:, None]
        for f, limit in ((np.min, np.inf), (np.max, -np.inf))
    )
    spread = np.where(high > low, high - low, 1)
    unit: Float32 = np.nan_to_num((scores - low) / spread)
    return unit
