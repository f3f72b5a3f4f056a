"""Ranks items by scores, by one rule for every model and for consumers.

Belongs here: selecting the top of a score matrix, filtering seen items, cutting work into batches
of bounded memory. NumPy only, because a consumer runs this code too. Does not belong here: where
scores come from (`factors`, `models/`), or how good a ranking is (`metrics`).

The rule: higher score first; among equal scores the more popular item first, where popularity is
given; among equally popular items the lower index first. Item indices follow the sorted ids, so a
ranking depends only on the scores, the popularity and the ids, never on the sort algorithm.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Ranked = tuple[Int32, Float32]

NO_ITEM = -1
# Cells of a score batch: 16 MiB of float32, large enough for the cost of Python not to matter.
MAX_CELLS = 1 << 22
# Cells of which the computation stays in a core's cache: two to three times as fast.
CACHED_CELLS = 1 << 17
# Groups of columns for each place of a ranking: more groups give fewer candidates.
_GROUPS_A_PLACE = 16
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class ItemLists:
    """One list of item indices a row, in CSR form: row r holds indices[indptr[r]:indptr[r+1]].

    `indptr` is int64[rows + 1]; `indices` is int32, ascending within a row.
    """

    indptr: Int64
    indices: Int32

    @classmethod
    def of(cls, csr: Any) -> "ItemLists":
        """The stored columns of a SciPy CSR matrix; its values are left aside."""
        return cls(csr.indptr.astype(np.int64), csr.indices.astype(np.int32, copy=False))

    @property
    def lengths(self) -> Int64:
        """Items in each row, int64[rows]."""
        return np.diff(self.indptr)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, rows: NDArray[np.integer]) -> "ItemLists":
        """The given rows, in the given order."""
        indptr = np.concatenate(([0], np.cumsum(self.lengths[rows])))
        return ItemLists(indptr, self.indices[self.positions(rows)])

    def positions(self, rows: NDArray[np.integer]) -> Int64:
        """Where in `indices` the entries of the given rows stand, row after row."""
        lengths = self.lengths[rows]
        starts = np.cumsum(lengths) - lengths
        found: Int64 = np.arange(lengths.sum()) + np.repeat(self.indptr[rows] - starts, lengths)
        return found

    def joined(self, other: "ItemLists") -> "ItemLists":
        """Each list with that of the same row of `other`; items that are in both are in it once."""
        rows = np.concatenate((self.row_of_each(), other.row_of_each()))
        indices = np.concatenate((self.indices, other.indices)).astype(np.int64)
        pairs = np.unique((rows << 32) | indices)
        lengths = np.bincount(pairs >> 32, minlength=len(self))
        indptr = np.concatenate(([0], np.cumsum(lengths)))
        return ItemLists(indptr, (pairs & 0xFFFFFFFF).astype(np.int32))

    def fits(self, rows: int, items: int) -> bool:
        """Whether this is a CSR of that shape, so that every index is inside its array."""
        return (
            self.indptr.shape == (rows + 1,)
            and self.indices.shape == (self.indptr[-1],)
            and self.indptr[0] == 0
            and bool((self.lengths >= 0).all())
            and bool(((self.indices >= 0) & (self.indices < items)).all())
        )

    def row_of_each(self) -> Int64:
        """The row that each entry of `indices` belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)


def batches(rows: int, columns: int, cells: int = MAX_CELLS) -> Iterator[slice]:
    """Slices that cover `rows`, each of at most `cells` cells of `columns` wide rows."""
    step = max(1, cells // max(1, columns))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def hide(scores: Float32, lists: ItemLists) -> None:
    """Exclude the listed items of each row from the ranking, in place (score -inf)."""
    scores[lists.row_of_each(), lists.indices] = -np.inf


def popular_first(users_of_item: NDArray[np.integer]) -> Int32:
    """The place of each item by falling number of users, int32[items]; the lower index first among
    equals. It is what `rank` takes to order items of equal score.
    """
    places = np.empty(len(users_of_item), dtype=np.int32)
    places[np.argsort(-users_of_item, kind="stable")] = np.arange(len(users_of_item))
    return places


def rank(scores: Float32, n: int, places: Int32 | None = None) -> Ranked:
    """The top `n` columns of each row: ids int32[rows, n] and scores float32[rows, n].

    Columns that score -inf are never ranked; a row with fewer than `n` others is padded with id
    -1 and score -inf. Exact also where scores tie across the n-th place. Among equal scores the
    column with the lower value in `places` int32[columns] is first, see `popular_first`; without
    it, the lower column.
    """
    rows, columns = scores.shape
    ids = np.full((rows, n), NO_ITEM, dtype=np.int32)
    best = np.full((rows, n), -np.inf, dtype=np.float32)
    kept = min(n, columns)
    if rows == 0 or kept == 0:
        return ids, best
    row, column = np.nonzero((scores >= _reached(scores, kept)) & (scores > -np.inf))
    value = scores[row, column]
    # nonzero yields ascending columns and lexsort is stable, which orders equal columns by index.
    keys = (-value, row) if places is None else (places[column], -value, row)
    order = np.lexsort(keys)
    row, column, value = row[order], column[order], value[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    top = place < n
    ids[row[top], place[top]] = column[top]
    best[row[top], place[top]] = value[top]
    return ids, best


def _reached(scores: Float32, kept: int) -> Float32:
    """For each row, a score that at least `kept` of its columns reach, and few more; [rows, 1].

    It is the `kept`-th best among the best scores of groups of columns, without the last columns
    that fill no group. NumPy's partition of all columns took nine tenths of the time of ranking,
    above all with many equal scores, as of item neighbours.
    """
    rows, columns = scores.shape
    groups = min(columns, _GROUPS_A_PLACE * kept)
    grouped = columns - columns % groups
    best: Float32 = scores[:, :grouped].reshape(rows, -1, groups).max(axis=1)
    return np.partition(best, groups - kept, axis=1)[:, groups - kept, None]


def rank_in_batches(
    scores_of: Callable[[slice], Float32],
    hidden: ItemLists,
    items: int,
    n: int,
    places: Int32 | None = None,
) -> Ranked:
    """Rank `n` of `items` for each row of `hidden`, leaving out the items it lists for that row.

    `scores_of(rows)` gives fresh scores float32[len(rows), items]; they are overwritten. It is
    called from several threads. `places` orders items of equal score, as in `rank`.
    """
    if n < 1:
        raise ValueError(f"n is {n}: ask for at least one item")
    ids = np.full((len(hidden), n), NO_ITEM, dtype=np.int32)
    best = np.full((len(hidden), n), -np.inf, dtype=np.float32)

    def fill(rows: slice) -> None:
        scores = scores_of(rows)
        hide(scores, hidden.take(np.arange(rows.start, rows.stop)))
        ids[rows], best[rows] = rank(scores, n, places)

    # NumPy releases the interpreter lock in all slow steps. Batches share nothing, so that
    # the result does not depend on the threads.
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(fill, batches(len(hidden), items)))
    return ids, best


def rank_similar(
    similarities: Callable[[NDArray[np.integer]], Float32],
    item_indices: NDArray[np.integer],
    items: int,
    n: int,
) -> Ranked:
    """The `n` other items most like each: ids int32[len(item_indices), n] and likeness float32.

    `similarities(indices)` gives float32[len(indices), items], which is overwritten. Only items of
    positive likeness are listed; a row with fewer is padded with id -1 and score -inf.
    """
    itself = ItemLists(np.arange(len(item_indices) + 1), item_indices.astype(np.int32))

    def likeness(rows: slice) -> Float32:
        found = similarities(item_indices[rows])
        found[found <= 0] = -np.inf
        return found

    return rank_in_batches(likeness, itself, items, n)
