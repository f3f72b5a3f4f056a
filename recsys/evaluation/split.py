"""Splits interactions into those that a model learns from and those that evaluate it.

Belongs here: the temporal split, and the age of items at its cut. Does not belong here: the
evaluation (`evaluation`), random slices and folds (`interaction_file`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.matrix import InteractionMatrix, event_times, id_column
from recsys.scoring.ranking import Float64


@dataclass(frozen=True)
class Split:
    """Train and test with the same id maps, and the counts of unusable test rows.

    `new_user_rows` and `new_item_rows` are rows after the cut whose user (or else whose item) is
    unknown before it, which no collaborative model can rank; `repeated_pairs` are interactions that
    are in train too, which every model filters as seen.
    """

    train: InteractionMatrix
    test: InteractionMatrix
    cut: datetime
    new_user_rows: int
    new_item_rows: int
    repeated_pairs: int


def temporal_split(table: Any, cut: datetime) -> Split:
    """Train on interactions before `cut`, test on those at or after it.

    `table` is as for InteractionMatrix.from_table, plus event_time (timestamp; without a zone it is
    UTC). `cut` needs a zone. Users and items are those of train; test keeps the interactions of
    known users and items that are not in train.

    Raises ValueError for a cut without zone, an event_time that is null or no timestamp, and for
    what InteractionMatrix.from_table refuses.
    """
    if cut.tzinfo is None:
        raise ValueError(f"cut {cut} has no time zone: give one, such as tzinfo=UTC")
    before = pc.less(event_times(table), pa.scalar(cut, pa.timestamp("us", "UTC")))
    train = InteractionMatrix.from_table(table.filter(before))

    later = table.filter(pc.invert(before))
    known_user = pc.is_in(id_column(later, "user_id"), value_set=train.users)
    of_known_users = later.filter(known_user)
    known_item = pc.is_in(id_column(of_known_users, "item_id"), value_set=train.items)
    known = of_known_users.filter(known_item)
    later_pairs = InteractionMatrix.from_table(known, users=train.users, items=train.items)

    unseen = ~np.isin(later_pairs.pairs(), train.pairs())
    return Split(
        train=train,
        test=later_pairs.keeping(unseen),
        cut=cut,
        new_user_rows=later.num_rows - of_known_users.num_rows,
        new_item_rows=of_known_users.num_rows - known.num_rows,
        repeated_pairs=int(np.count_nonzero(~unseen)),
    )


def ages_of_items(table: Any, items: Any, at: datetime) -> Float64:
    """Days from the first interaction with each of `items` until `at`, float64[items].

    `table` is as for temporal_split. NaN for an item without an interaction before `at`.
    """
    times = pa.table({"item_id": id_column(table, "item_id"), "first": event_times(table)})
    first = times.group_by("item_id").aggregate([("first", "min")])
    known = first["first_min"].take(pc.index_in(items, value_set=first["item_id"]))
    seconds = pc.subtract(
        pa.scalar(at.timestamp()),
        pc.divide(known.cast(pa.timestamp("us", "UTC")).cast(pa.int64()), 1e6),
    )
    days: Float64 = pc.divide(seconds, 86_400.0).to_numpy()
    return np.where(days >= 0, days, np.nan)
