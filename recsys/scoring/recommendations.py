"""Ranked item ids for users, as a table: what a serving table or a consumer takes.

Belongs here: from ranked indices to ids. Does not belong here: ranking (`ranking`), writing.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys.scoring.ranking import NO_ITEM, Float32, Int32, batches

if TYPE_CHECKING:
    from recsys.matrix import InteractionMatrix
    from recsys.recommender import Recommender

SCHEMA = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
    ]
)


def top_n(model: "Recommender", matrix: "InteractionMatrix", n: int) -> Any:
    """The best `n` unseen items of every user, as a pa.Table of SCHEMA.

    Ordered by user, then rank (from 1). Users without interactions are left out: nothing personal
    is known of them, and a consumer falls back to popularity. A user with fewer than `n` unseen
    items has fewer rows. `model` must be fitted on `matrix`.
    """
    users = np.flatnonzero(np.diff(matrix.csr.indptr))
    chunks = []
    for rows in batches(len(users), max(n, len(matrix.items))):
        ids, scores = model.recommend(users[rows], matrix.csr[users[rows]], n)
        chunks.append(
            ranked_rows(matrix.users.take(pa.array(users[rows])), matrix.items, ids, scores)
        )
    return pa.Table.from_batches(chunks, schema=SCHEMA)


def ranked_rows(subjects: Any, items: Any, ids: Int32, scores: Float32) -> Any:
    """A pa.RecordBatch of SCHEMA: one row for each ranked item of each subject, padding dropped.

    `subjects` is a pa.StringArray [rows] of user ids; `items` maps the indices in `ids`.
    """
    row, place = np.nonzero(ids != NO_ITEM)
    columns = [
        subjects.take(pa.array(row)),
        pa.array((place + 1).astype(np.int32)),
        items.take(pa.array(ids[row, place])),
        pa.array(scores[row, place]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
