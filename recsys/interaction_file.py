"""Interaction files, the format of the public data sets: one line `user item item ...` a user.

Belongs here: reading them, and holding out a slice of them at random. Does not belong here: splits
in time (`split`). Ids are text of any kind without white space. The items of a line may be in the
order in which the user had them, which a file does not say: the reader has to know.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.matrix import InteractionMatrix


class InteractionFileError(ValueError):
    """The file is not an interaction file; the message names it."""


@dataclass(frozen=True)
class TrainTest:
    """Train and test with the same id maps. `repeated` counts the interactions of test that are in
    train too; they cannot be recommended and are left out.
    """

    train: InteractionMatrix
    test: InteractionMatrix
    repeated: int


def read_interactions(path: Path, in_order: bool = False) -> Any:
    """A pa.Table of user_id, item_id and weight 1, one row an interaction; repeated ones count
    once. With `in_order` it has event_time too, later from item to item; only its order has a
    meaning.

    Raises InteractionFileError for a file that is missing, not UTF-8, or has no interaction.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InteractionFileError(
            f"{path} cannot be read ({error}): give a text file of lines `user item item ...`"
        ) from error
    words = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(pa.array(lines, pa.large_string())))
    words = words.cast(pa.large_list(pa.large_string()))
    line = pc.list_parent_indices(words).to_numpy()
    flat = pc.list_flatten(words)
    first = np.diff(line, prepend=-1) != 0
    users = flat.filter(pa.array(first))
    of_line = np.cumsum(first) - 1
    pairs = pa.table(
        {
            "user_id": users.take(pa.array(of_line[~first])).cast(pa.string()),
            "item_id": flat.filter(pa.array(~first)).cast(pa.string()),
            "place": np.flatnonzero(~first),
        }
    )
    unique = pairs.group_by(["user_id", "item_id"], use_threads=False)
    pairs = unique.aggregate([("place", "min")])
    if pairs.num_rows == 0:
        raise InteractionFileError(f"{path} has no interactions: write lines `user item item ...`")
    places = pairs["place_min"].cast(pa.timestamp("us", "UTC"))
    pairs = pairs.select(["user_id", "item_id"])
    pairs = pairs.append_column("weight", pa.repeat(pa.scalar(1.0), pairs.num_rows))
    return pairs.append_column("event_time", places) if in_order else pairs


def read_train_test(train: Path, test: Path) -> TrainTest:
    """Both files as matrices. The id maps include users and items that only test has."""
    rows = [read_interactions(path) for path in (train, test)]
    whole = InteractionMatrix.from_table(pa.concat_tables(rows))
    learned, evaluated = (
        InteractionMatrix.from_table(table, users=whole.users, items=whole.items) for table in rows
    )
    new = ~np.isin(evaluated.pairs(), learned.pairs())
    return TrainTest(learned, evaluated.keeping(new), int(np.count_nonzero(~new)))


def hold_out(matrix: InteractionMatrix, share: float = 0.1, seed: int = 0) -> TrainTest:
    """Move a random share of the items of each user with two or more items, at least one,
    to test.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}: give a part of each user's items, such as 0.1")
    drawn = np.random.default_rng(seed).random(matrix.csr.nnz)
    held = np.maximum(1, np.round(np.diff(matrix.csr.indptr) * share)).astype(np.int64)
    held[np.diff(matrix.csr.indptr) < 2] = 0
    return _cut(matrix, drawn, held)


def folds(matrix: InteractionMatrix, k: int = 5, seed: int = 0) -> list[TrainTest]:
    """K-fold cross-validation: each interaction is tested once, and learned from k - 1 times.

    Each user's items are distributed over the folds in random order. Raises ValueError for k < 2.
    """
    if k < 2:
        raise ValueError(f"k is {k}: cross-validation needs two folds or more")
    drawn = np.random.default_rng(seed).random(matrix.csr.nnz)
    fold = _place_in_row(matrix.csr, drawn) % k
    return [_parts(matrix, fold == this) for this in range(k)]


def _cut(matrix: InteractionMatrix, drawn: Any, held: Any) -> TrainTest:
    row = np.repeat(np.arange(len(held)), np.diff(matrix.csr.indptr))
    return _parts(matrix, _place_in_row(matrix.csr, drawn) < held[row])


def _place_in_row(csr: Any, drawn: Any) -> Any:
    """The position of each entry within its row, in the order of random numbers."""
    row = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
    place = np.empty(csr.nnz, dtype=np.int64)
    place[np.lexsort((drawn, row))] = np.arange(csr.nnz) - np.repeat(
        csr.indptr[:-1], np.diff(csr.indptr)
    )
    return place


def _parts(matrix: InteractionMatrix, tested: Any) -> TrainTest:
    return TrainTest(matrix.keeping(~tested), matrix.keeping(tested), 0)
