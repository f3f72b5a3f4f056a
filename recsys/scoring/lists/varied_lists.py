"""Lists that are varied, have few items of one creator, and leave out what was shown already.

Belongs here: choosing from the best items of a model. NumPy and pyarrow only, because a consumer
runs this code too. Does not belong here: scores (`scorer`), and ranking by them (`ranking`).

Source: Carbonell, Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents
and Producing Summaries" (SIGIR 1998).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.scoring.consumer import LoadedModel
from recsys.scoring.ranking import NO_ITEM, Float32, Int64, ItemLists, batches

# The items from which a list is chosen, for each place of it.
_POOL_A_PLACE = 5
_LEAST_POOL = 50
# The most alike items of an item that are compared; all others count as unlike.
_NEIGHBOURS = 100
_CELLS = 1 << 20


@dataclass(frozen=True)
class ListRules:
    """What a list is to be like, beside being what the user wants.

    `diversity` from 0 to 1 is the weight of being unlike the items before, against the score: 0
    keeps the model's order. `creators` names the creator of items; at most `most_of_creator` items
    of one are in a list (None: any number), and items without a creator are not limited. `shown` is
    a pa.Table of user_id and item_id that are left out. Raises ValueError for values out of range.
    """

    diversity: float = 0.0
    most_of_creator: int | None = None
    creators: Mapping[str, str] = field(default_factory=dict)
    shown: Any = None

    def __post_init__(self) -> None:
        if not 0 <= self.diversity <= 1:
            raise ValueError(f"diversity is {self.diversity}: give a weight from 0 to 1")
        if self.most_of_creator is not None and self.most_of_creator < 1:
            raise ValueError(f"most_of_creator is {self.most_of_creator}: give 1 or more, or None")


def recommend_varied(
    model: LoadedModel, user_ids: Sequence[str], n: int, rules: ListRules
) -> pa.Table:
    """The columns of `LoadedModel.recommend`, for each user asked for in turn, chosen by the rules.

    A list is chosen from five times as many items, so that strict rules may leave fewer than `n`.
    Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}: ask for at least one item")
    pool = max(_LEAST_POOL, _POOL_A_PLACE * n) + _most_shown(rules.shown)
    users = list(dict.fromkeys(user_ids))
    offered = _not_shown(model.recommend(users, pool), rules.shown)
    row = pc.index_in(offered["user_id"], value_set=pa.array(users, pa.string())).to_numpy()
    lengths = np.bincount(row, minlength=len(users))
    lists = ItemLists(
        np.concatenate(([0], np.cumsum(lengths))),
        pc.index_in(offered["item_id"], value_set=model.items).to_numpy().astype(np.int32),
    )
    scores = offered["score"].to_numpy().astype(np.float32)
    creators = _creators(model.items, rules)
    width = int(lengths.max(initial=1))
    chosen = [
        _chosen(model, lists, scores, creators, rows, n, rules)
        for rows in batches(len(users), width * width, _CELLS)
    ]
    entries = np.concatenate((np.empty(0, dtype=np.int64), *chosen))
    found = offered.take(pa.array(entries))
    return _in_order_asked(found, user_ids)


def _chosen(  # noqa: PLR0917  (each is another thing)
    model: LoadedModel,
    lists: ItemLists,
    scores: Float32,
    creators: Int64,
    rows: slice,
    n: int,
    rules: ListRules,
) -> Int64:
    """The chosen entries of `lists` for the given rows, in the order of each list."""
    begins, lengths = lists.indptr[rows], lists.lengths[rows]
    entry = begins[:, None] + np.arange(int(lengths.max(initial=0)))
    there = np.arange(entry.shape[1]) < lengths[:, None]
    entry = np.where(there, entry, 0)
    items = np.where(there, lists.indices[entry], NO_ITEM)
    alike = _alike(model, items) if rules.diversity > 0 else None
    wanted = _to_unit(np.where(there, scores[entry], np.nan)) * (1 - rules.diversity)
    of_creator = np.where(there, creators[items], -1)
    nearest = np.zeros_like(wanted)
    used = np.zeros(items.shape, dtype=np.int64)
    open_ = there.copy()
    every = np.arange(len(items))
    picks, counts = [], []
    for _ in range(min(n, items.shape[1])):
        value = np.where(open_, wanted - rules.diversity * nearest, -np.inf)
        pick = value.argmax(axis=1)
        counts.append(open_[every, pick])
        picks.append(entry[every, pick])
        open_[every, pick] = False
        if alike is not None:
            nearest = np.maximum(nearest, alike[every, pick])
        if rules.most_of_creator is not None:
            its = of_creator[every, pick][:, None]
            used += (of_creator == its) & (its >= 0) & counts[-1][:, None]
            open_ &= used < rules.most_of_creator
    if not picks:
        return np.empty(0, dtype=np.int64)
    found: Int64 = np.stack(picks, axis=1)[np.stack(counts, axis=1)]
    return found


def _alike(model: LoadedModel, items: Any) -> Float32:
    """How alike the items of each row are, float32[rows, places, places], from 0 to 1: likeness as
    a share of that of the most alike item.
    """
    unique, place = np.unique(items, return_inverse=True)
    place = place.reshape(items.shape)
    ids, likeness = model.scorer.similar_items(np.maximum(unique, 0), _NEIGHBOURS)
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


def _creators(items: Any, rules: ListRules) -> Int64:
    """A number for the creator of each item, -1 where it has none."""
    names = pa.array([rules.creators.get(item) for item in items.to_pylist()], pa.string())
    codes = pc.fill_null(names.dictionary_encode().indices, -1)
    found: Int64 = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    return found if len(found) else np.full(1, -1)


def _most_shown(shown: Any) -> int:
    if shown is None or shown.num_rows == 0:
        return 0
    return int(pc.max(pc.value_counts(shown["user_id"]).field("counts")).as_py())


def _not_shown(offered: pa.Table, shown: Any) -> pa.Table:
    if shown is None:
        return offered
    pairs = [
        pc.binary_join_element_wise(table["user_id"], table["item_id"], "\0")
        for table in (offered, shown)
    ]
    return offered.filter(pc.invert(pc.is_in(pairs[0], value_set=pairs[1].combine_chunks())))


def _in_order_asked(found: pa.Table, user_ids: Sequence[str]) -> pa.Table:
    """The lists with ranks from 1; a user asked for twice has the list twice."""
    users = list(dict.fromkeys(user_ids))
    row = pc.index_in(found["user_id"], value_set=pa.array(users, pa.string())).to_numpy()
    lengths = np.bincount(row, minlength=len(users))
    every = np.arange(len(row), dtype=np.int32)
    lists = ItemLists(np.concatenate(([0], np.cumsum(lengths))), every)
    place = {user: at for at, user in enumerate(users)}
    asked = np.array([place[user] for user in user_ids], dtype=np.int64)
    repeated = lists.take(asked)
    ranks = np.arange(len(repeated.indices)) - np.repeat(repeated.indptr[:-1], repeated.lengths)
    table = found.take(pa.array(repeated.indices))
    at = table.schema.get_field_index("rank")
    return table.set_column(at, table.schema.field(at), pa.array((ranks + 1).astype(np.int32)))
