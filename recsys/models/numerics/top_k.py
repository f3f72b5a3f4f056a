"""The top k values of each row of a sparse matrix, with which a model keeps an item's neighbours.

Belongs here: only that. `ranking.rank` does the same for dense rows of scores, with the same rule
for ties: among equal values the lower column first.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.ranking import Float32, Int64

_SORTED_AT_ONCE = 1 << 18


def top_k_of_rows(matrix: Any, kept: int) -> Any:
    """The top `kept` values of each row of a CSR; among equal values those of the lower column."""
    import scipy.sparse

    matrix.sort_indices()
    lengths = np.diff(matrix.indptr)

    def chosen(rows: slice) -> NDArray[np.int64]:
        start, stop = matrix.indptr[rows.start], matrix.indptr[rows.stop]
        values = matrix.data[start:stop].astype(np.float32, copy=False)
        places: Int64 = _places_of_top_k(values, lengths[rows], kept) + start
        return places

    # Sorting blocks that fit in a core's cache is much faster than sorting all rows at once.
    with ThreadPoolExecutor() as pool:
        entries = np.concatenate(list(pool.map(chosen, _row_blocks(matrix.indptr))))
    indptr = np.concatenate(([0], np.cumsum(np.minimum(lengths, kept))))
    kept_matrix: Any = scipy.sparse.csr_matrix(
        (matrix.data[entries], matrix.indices[entries], indptr), shape=matrix.shape
    )
    return kept_matrix


def _places_of_top_k(values: Float32, lengths: NDArray[np.integer], kept: int) -> Int64:
    """Where the `kept` largest of each row stand, ascending; `values` are those of all rows."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    row = np.repeat(np.arange(len(lengths)), lengths)
    # Row and falling value in one integer: NumPy sorts integers by vector instructions, and the
    # sorted integers give the least value that is kept of a row.
    key = (row.astype(np.uint64) << np.uint64(32)) | _falling(values)
    room = np.minimum(lengths, kept)
    last = np.cumsum(lengths) - lengths + room - 1
    limit = np.repeat(np.sort(key)[np.maximum(last, 0)], lengths)
    is_kept = key < limit
    room = room - np.bincount(row[is_kept], minlength=len(lengths))
    level = np.flatnonzero(key == limit)
    of_level = row[level]
    place = np.arange(len(level)) - np.searchsorted(of_level, of_level)
    is_kept[level[place < room[of_level]]] = True
    places: Int64 = np.flatnonzero(is_kept)
    return places


def _falling(values: Float32) -> NDArray[np.uint32]:
    """Integers in the reverse order of the values; equal for equal values."""
    bits = (values + np.float32(0)).view(np.uint32)  # -0 as 0
    falling: NDArray[np.uint32] = np.where(bits >> 31, bits, ~bits & np.uint32(0x7FFFFFFF))
    return falling


def _row_blocks(indptr: NDArray[np.integer]) -> list[slice]:
    """Slices that cover the rows, each of about _SORTED_AT_ONCE entries."""
    cuts = np.searchsorted(indptr, np.arange(0, indptr[-1], _SORTED_AT_ONCE))
    edges = np.unique(np.concatenate(([0], cuts, [len(indptr) - 1])))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]
