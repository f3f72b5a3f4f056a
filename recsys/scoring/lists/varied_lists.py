"""Lists that are varied, have few items of one creator, and leave out what was shown already.

Belongs here: such lists of users by their ids. NumPy and pyarrow only, because a consumer runs this
code too. Does not belong here: the choice itself (`choosing`), scores, ranking (`ranking`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.scoring.consumer import LoadedModel
from recsys.scoring.lists.choosing import ItemTraits, Weights, choose, pool_size
from recsys.scoring.ranking import NO_ITEM, ItemLists


@dataclass(frozen=True)
class ListRules(Weights):
    """`Weights`, and what they are weights of.

    `creators` names the creator of items; items without a creator are not limited. `age_days` has
    the age of items; those without one count as old. `shown` is a pa.Table of user_id and item_id
    that are left out.
    """

    creators: Mapping[str, str] = field(default_factory=dict)
    age_days: Mapping[str, float] = field(default_factory=dict)
    shown: Any = None


def recommend_varied(
    model: LoadedModel, user_ids: Sequence[str], n: int, rules: ListRules
) -> pa.Table:
    """The columns of `LoadedModel.recommend`, for each user asked for in turn, chosen by the rules.

    A list is chosen from five times as many items, so that strict rules may leave fewer than `n`.
    Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}: ask for at least one item")
    pool = pool_size(n) + _most_shown(rules.shown)
    users = list(dict.fromkeys(user_ids))
    offered = _not_shown(model.recommend(users, pool), rules.shown)
    row = pc.index_in(offered["user_id"], value_set=pa.array(users, pa.string())).to_numpy()
    lengths = np.bincount(row, minlength=len(users))
    begins = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    place = np.arange(len(row)) - begins[row]
    shape = (len(users), int(lengths.max(initial=1)))
    ids, scores = np.full(shape, NO_ITEM, dtype=np.int32), np.full(shape, -np.inf, dtype=np.float32)
    ids[row, place] = pc.index_in(offered["item_id"], value_set=model.items).to_numpy()
    scores[row, place] = offered["score"].to_numpy()
    chosen = choose(model.scorer, ids, scores, n, rules, _traits(model.items, rules))
    entries = (begins[:, None] + chosen)[chosen >= 0]
    return _in_order_asked(offered.take(pa.array(entries)), user_ids)


def _traits(items: Any, rules: ListRules) -> ItemTraits:
    ids = items.to_pylist()
    table = pa.table(
        {
            "item_id": items,
            "creator": pa.array([rules.creators.get(item) for item in ids], pa.string()),
            "age_days": pa.array([rules.age_days.get(item) for item in ids], pa.float32()),
        }
    )
    return ItemTraits.of(items, table)


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
