"""Splits for the question which item a user takes up next.

Belongs here: leave-last-out, and the first new item after a cut. Does not belong here: the split
that asks for everything after a cut (`split`), and the evaluation.

Leave-last-out uses the most data, but a model learns from what others did after the moment it is
asked about. The split at a cut does not have this leak (Ji et al., "A Critical Study on Data
Leakage in Recommender System Offline Evaluation", TOIS 2023).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from recsys.evaluation.split import temporal_split
from recsys.matrix import InteractionMatrix
from recsys.scoring.histories import Histories


@dataclass(frozen=True)
class NextItem:
    """Train, and test with one item a user, with the same id maps.

    `unknown_items` counts the users whose next item nobody has in train: no collaborative model can
    rank it, and they have no test item.
    """

    train: InteractionMatrix
    test: InteractionMatrix
    unknown_items: int


def leave_last_out(matrix: InteractionMatrix) -> NextItem:
    """Test on the item that each user with two or more had last; train on all others.

    Times are those when a user first had an item. Items of one time are in the order of their
    weights, then of their ids. The id maps are those of the matrix.

    Raises ValueError for a matrix without times.
    """
    histories = _with_times(matrix)
    lists = histories.lists
    last = lists.indptr[1:][lists.lengths > 1] - 1
    tested = np.zeros(matrix.csr.nnz, dtype=np.bool_)
    tested[histories.order()[last]] = True
    train, test = matrix.keeping(~tested), matrix.keeping(tested)
    there = np.bincount(train.csr.indices, minlength=len(matrix.items)) > 0
    ranked = there[test.csr.indices]
    return NextItem(train, test.keeping(ranked), int(np.count_nonzero(~ranked)))


def next_after(table: Any, cut: datetime) -> NextItem:
    """Train before `cut`; test on the first item that each known user had at or after it, of those
    not in train. `table` is as for `temporal_split`, which raises ValueError.

    Items that nobody has in train are passed over, and `unknown_items` is 0.
    """
    split = temporal_split(table, cut)
    histories = _with_times(split.test)
    lists = histories.lists
    first = lists.indptr[:-1][lists.lengths > 0]
    tested = np.zeros(split.test.csr.nnz, dtype=np.bool_)
    tested[histories.order()[first]] = True
    return NextItem(split.train, split.test.keeping(tested), 0)


def _with_times(matrix: InteractionMatrix) -> Histories:
    if matrix.times is None:
        raise ValueError(
            "the matrix has no times, so that nothing is last or next: build it from rows with"
            " event_time"
        )
    return Histories.of(matrix.csr, matrix.times)
