"""The interaction matrix: who engaged with what, and how much.

Belongs here: from Arrow rows to a SciPy CSR with id maps, and its folder on disk. Does not belong
here: what an engagement weighs (the caller's SQL), or cuts in time (`split`). Everything is an
operation on columns of Arrow or NumPy; nothing loops over records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse
from numpy.typing import NDArray

from recsys.registry.files import (
    TIMES,
    ids_bytes,
    new_folder,
    npz_bytes,
    parse_ids,
    parse_npz,
    times_among,
)
from recsys.scoring.ranking import Int64

_ARRAYS: Mapping[str, type] = {
    "indptr": np.int64,
    "indices": np.int32,
    "data": np.float32,
}
# Leaves room to sum a billion of the largest in float32.
_LARGEST_WEIGHT = 1e29


@dataclass(frozen=True)
class InteractionMatrix:
    """Weights of users (rows) for items (columns).

    `csr` is a scipy.sparse.csr_matrix float32[users, items], columns ascending in each row, no
    stored zeros. (`csr_matrix` and not the newer `csr_array`, since implicit takes only that.)
    `users` and `items` are pa.StringArray, sorted by code point: entry i is the id of row or
    column i. `times` int64 says of each stored entry, in the order of `csr.data`, when the user
    first had the item, in microseconds since 1970 UTC; None if the rows had no times, as in
    matrices that release 0.1 wrote.
    """

    csr: Any
    users: Any
    items: Any
    times: Int64 | None = None

    @classmethod
    def from_table(
        cls, table: Any, *, users: Any | None = None, items: Any | None = None
    ) -> "InteractionMatrix":
        """Sum the weights of each user and item.

        `table` is a pa.Table with user_id and item_id (anything that casts to string) and weight
        (a number >= 0), and perhaps event_time (a timestamp; without a zone it is UTC), whose
        earliest is kept; other columns are ignored. The same rows in any order give the same bytes.
        A weight of zero is no interaction and is not stored. Id maps come from the table, or are
        given (sorted pa.StringArray) to share those of another matrix.

        Raises ValueError for an absent column, a null, a weight that is NaN, infinite, negative
        or above 1e29, an event_time that is no timestamp, or an id that is not in a given map.
        """
        user_ids, item_ids = id_column(table, "user_id"), id_column(table, "item_id")
        users = sorted_ids(user_ids) if users is None else users
        items = sorted_ids(item_ids) if items is None else items
        weights, times = _weights(table), _times(table)
        row = _positions(user_ids, users, "user_id")
        column = _positions(item_ids, items, "item_id")
        summed, first = _summed(row, column, weights, times, (len(users), len(items)))
        return cls(summed, users, items, first)

    def over(self, items: Any) -> "InteractionMatrix":
        """The same weights over more items, sorted, those of this matrix among them."""
        place = _positions(self.items, items, "item_id")
        # Both maps are sorted, so that columns stay ascending in each row.
        entries = (self.csr.data, place[self.csr.indices], self.csr.indptr)
        wide = scipy.sparse.csr_matrix(entries, shape=(len(self.users), len(items)))
        return InteractionMatrix(wide, self.users, items, self.times)

    def keeping(self, kept: NDArray[np.bool_]) -> "InteractionMatrix":
        """The same users and items with the interactions of the mask `kept` bool[csr.nnz]."""
        ends = np.concatenate(([0], np.cumsum(kept)))
        entries = (self.csr.data[kept], self.csr.indices[kept], ends[self.csr.indptr])
        part = scipy.sparse.csr_matrix(entries, shape=self.csr.shape)
        times = None if self.times is None else self.times[kept]
        return InteractionMatrix(part, self.users, self.items, times)

    def pairs(self) -> Int64:
        """A number for each interaction, ascending: the same for the same user and item."""
        row = np.repeat(np.arange(len(self.users)), np.diff(self.csr.indptr))
        numbers: Int64 = row * len(self.items) + self.csr.indices
        return numbers

    def save(self, folder: Path) -> None:
        """Write matrix.npz, users.parquet and items.parquet to a new folder, whole or not at all.

        Raises FileExistsError if the folder exists.
        """
        with new_folder(folder) as place:
            arrays = {
                "indptr": self.csr.indptr.astype(np.int64),
                "indices": self.csr.indices.astype(np.int32),
                "data": self.csr.data,
                **({} if self.times is None else {TIMES: self.times}),
            }
            (place / "matrix.npz").write_bytes(npz_bytes(arrays))
            (place / "users.parquet").write_bytes(ids_bytes(self.users))
            (place / "items.parquet").write_bytes(ids_bytes(self.items))

    @classmethod
    def load(cls, folder: Path) -> "InteractionMatrix":
        """Read what `save` wrote.

        Raises FileNotFoundError, or UnreadableFileError where a file is damaged.
        """
        users, items = (
            parse_ids((folder / name).read_bytes(), str(folder / name))
            for name in ("users.parquet", "items.parquet")
        )
        file = folder / "matrix.npz"
        arrays = parse_npz(file.read_bytes(), str(file), _ARRAYS)
        csr = scipy.sparse.csr_matrix(
            (arrays["data"], arrays["indices"], arrays["indptr"]), shape=(len(users), len(items))
        )
        csr.check_format(full_check=True)
        return cls(csr, users, items, times_among(arrays, str(file), csr.nnz))


def event_times(table: Any) -> Any:
    """The column event_time as timestamps in UTC; raises ValueError for another type or a null."""
    column = present_column(table, "event_time")
    if not pa.types.is_timestamp(column.type):
        raise ValueError(f"event_time is {column.type}, not a timestamp: cast it")
    if column.null_count:
        raise ValueError(f"event_time is null in {column.null_count} rows: filter them out")
    return column.cast(pa.timestamp(column.type.unit, "UTC"))


def id_column(table: Any, name: str) -> Any:
    """A column of ids as a chunked string array; raises ValueError where absent or null."""
    column = present_column(table, name).cast(pa.string())
    if column.null_count:
        raise ValueError(f"{name} is null in {column.null_count} rows: drop or name them")
    return column


def present_column(table: Any, name: str) -> Any:
    """A column of the table; raises ValueError that says which columns there are."""
    if name not in table.column_names:
        raise ValueError(f"no column {name} among {', '.join(table.column_names)}: select it")
    return table[name]


def sorted_ids(column: Any) -> Any:
    """The distinct ids of a column as a sorted pa.StringArray (UTF-8 bytes, so code points)."""
    ids = pc.unique(column)
    return ids.take(pc.array_sort_indices(ids))


def _weights(table: Any) -> NDArray[np.float64]:
    column = present_column(table, "weight")
    if column.null_count:
        raise ValueError(f"weight is null in {column.null_count} rows: filter them out")
    weights: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    refused = ~((weights >= 0) & (weights <= _LARGEST_WEIGHT))
    if refused.any():
        row = int(np.argmax(refused))
        raise ValueError(
            f"weight is {weights[row]} in row {row} (user {table['user_id'][row]}, item"
            f" {table['item_id'][row]}), {int(refused.sum())} rows in all: weights must lie in"
            f" [0, {_LARGEST_WEIGHT:g}]; filter or clip them"
        )
    return weights


def _times(table: Any) -> Int64 | None:
    if "event_time" not in table.column_names:
        return None
    # Nanoseconds are cut off: no interactions are that close.
    column = event_times(table).cast(pa.timestamp("us", "UTC"), safe=False)
    times: Int64 = column.cast(pa.int64()).to_numpy()
    return times


def _positions(column: Any, ids: Any, name: str) -> NDArray[np.int64]:
    found = pc.index_in(column, value_set=ids)
    if found.null_count:
        stranger = column.filter(pc.is_null(found))[0]
        raise ValueError(
            f"{name} {stranger} and others, {found.null_count} rows in all, are not in the given"
            " id map: filter them out, or leave the map out"
        )
    positions: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return positions


def _summed(
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    weights: NDArray[np.float64],
    times: Int64 | None,
    shape: tuple[int, int],
) -> tuple[Any, Int64 | None]:
    """One float32 cell a pair, and the earliest time of each. Sorting by weight too makes the sum
    independent of row order.
    """
    kept = weights.astype(np.float32) > 0
    row, column, weights = row[kept], column[kept], weights[kept]
    key = row * shape[1] + column
    order = np.lexsort((weights, key))
    key, weights = key[order], weights[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    data = np.add.reduceat(weights, first) if len(first) else weights
    rows, indices = np.divmod(key[first], max(1, shape[1]))
    indptr = np.searchsorted(rows, np.arange(shape[0] + 1))
    entries = (data.astype(np.float32), indices.astype(np.int32), indptr)
    summed = scipy.sparse.csr_matrix(entries, shape=shape)
    if times is None:
        return summed, None
    times = times[kept][order]
    return summed, np.minimum.reduceat(times, first) if len(first) else times
