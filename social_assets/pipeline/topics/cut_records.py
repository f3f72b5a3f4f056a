"""Cuts a topic's records into those of the elements of an array, for contracts with `explode`.

Belongs here: how much is cut at a time, so that a micro-batch is bounded whatever the arrays hold,
and which number a part has within its record. Where a record is cut belongs to
`ingest.files.explode_records`. A part of the records ends between two of them: a commit of raw has
all rows of a record, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.contracts.contract import Contract
from social_assets.contracts.options.explode import Explode
from social_assets.ingest.files.explode_records import Pieces, parts_of, pieces_of
from social_assets.lake.schemas import ELEMENT

Numbers = npt.NDArray[np.int64]

RECORD_ROWS = 1_000_000
RECORD_BYTES = 256 << 20
"""A record of more elements, or of more bytes once it is cut, stays whole and is rejected: a
micro-batch is in memory, and each row repeats what encloses its element."""


@dataclass(frozen=True)
class CutCounts:
    """How many records of Kafka were cut into rows, and how many of them had no element."""

    records: int = 0
    without: int = 0

    def __add__(self, other: CutCounts) -> CutCounts:
        return CutCounts(self.records + other.records, self.without + other.without)


@dataclass(frozen=True)
class CutRecords:
    """The rows of the records before number `stop`, since those of the part before.

    `rows` has the columns of KAFKA_RECORDS and ELEMENT.
    """

    rows: pa.Table
    stop: int
    counts: CutCounts


def cut_records(
    records: pa.RecordBatch, contract: Contract, most_rows: int, most_bytes: int
) -> Iterator[CutRecords]:
    """Cut KAFKA_RECORDS. A part has at most `most_rows` and `most_bytes`, or is of one record."""
    explode = contract.explode
    if explode is None:
        raise ValueError(f"{contract.name} explodes no array")
    held: list[pa.Table] = []
    rows = size = stop = 0
    counts = CutCounts()
    for first, end in parts_of(_lengths(records.column("value")), records.num_rows):
        some = _some(records.slice(first, end - first), explode, contract.max_record_bytes)
        at = 0
        while at < end - first:
            fitting = some.fitting(at, most_rows - rows, most_bytes - size)
            if fitting == at and held:
                yield CutRecords(pa.concat_tables(held), stop, counts)
                held, rows, size, counts = [], 0, 0, CutCounts()
                continue
            fitting = max(fitting, at + 1)
            held.append(some.rows(at, fitting))
            rows, size = rows + held[-1].num_rows, size + some.bytes_of(at, fitting)
            counts += CutCounts(fitting - at, some.without(at, fitting))
            at, stop = fitting, first + fitting
    if held:
        yield CutRecords(pa.concat_tables(held), stop, counts)


def next_offsets(records: pa.RecordBatch, stop: int, after: Mapping[int, int]) -> dict[int, int]:
    """For each partition, the offset before which only records before number `stop` are; `after`
    are those of all records. The records are ordered by partition and offset.
    """
    rest = records.slice(stop)
    partitions, offsets = (rest.column(name).to_numpy() for name in ("partition", "offset"))
    numbers, first = np.unique(partitions, return_index=True)
    return {**after, **dict(zip(numbers.tolist(), offsets[first].tolist(), strict=True))}


@dataclass(frozen=True)
class _Some:
    """Some records: those that are cut, in `pieces`, and those that stay whole.

    `owners` are the numbers of the records that the pieces are of; `ends` and `sizes` are how many
    rows and bytes the records up to each have, from 0.
    """

    records: pa.RecordBatch
    pieces: Pieces
    owners: Numbers
    is_whole: npt.NDArray[np.bool_]
    ends: Numbers
    sizes: Numbers

    def fitting(self, at: int, most_rows: int, most_bytes: int) -> int:
        """The end of the records from number `at` that have at most so many rows and bytes."""
        by_rows = np.searchsorted(self.ends, self.ends[at] + most_rows, "right")
        by_bytes = np.searchsorted(self.sizes, self.sizes[at] + most_bytes, "right")
        return max(at, int(min(by_rows, by_bytes)) - 1)

    def bytes_of(self, first: int, end: int) -> int:
        """The bytes of the rows of some records."""
        return int(self.sizes[end] - self.sizes[first])

    def without(self, first: int, end: int) -> int:
        """How many of some records have no row."""
        return int((np.diff(self.ends[first : end + 1]) == 0).sum())

    def rows(self, first: int, end: int) -> pa.Table:
        """The rows of some records, in their order, with the numbers of the elements."""
        begin, stop = np.searchsorted(self.owners, [first, end])
        whole = np.flatnonzero(self.is_whole[first:end]) + first
        owners = np.concatenate([self.owners[begin:stop], whole])
        values = pa.chunked_array(
            [
                *self.pieces.between(begin, stop).values(),
                self.records.column("value").take(pa.array(whole)),
            ],
            pa.binary(),
        )
        if len(whole):
            order = np.argsort(owners, kind="stable")
            owners, values = owners[order], values.take(pa.array(order))
        numbers = np.arange(len(owners)) - np.searchsorted(owners, owners) + 1
        kept = pa.Table.from_batches([self.records]).drop_columns("value").take(pa.array(owners))
        columns = {name: kept[name] for name in kept.column_names}
        return pa.table({"value": values, **columns, ELEMENT.name: pa.array(numbers, ELEMENT.type)})


def _some(records: pa.RecordBatch, explode: Explode, max_record_bytes: int) -> _Some:
    lengths = _lengths(records.column("value"))
    # Without bytes, or too long: validation gives the reason.
    is_cut = (lengths > 0) & (lengths <= max_record_bytes)
    pieces, owners = _pieces(records, is_cut, explode)
    sizes = _sums(owners, (pieces.ends - pieces.begins).sum(axis=1), len(lengths))
    is_large = (np.bincount(owners, minlength=len(lengths)) > RECORD_ROWS) | (sizes > RECORD_BYTES)
    if is_large.any():
        is_cut &= ~is_large
        pieces, owners = _pieces(records, is_cut, explode)
        sizes = _sums(owners, (pieces.ends - pieces.begins).sum(axis=1), len(lengths))
    counts = np.bincount(owners, minlength=len(lengths)) + ~is_cut
    sizes += np.where(is_cut, 0, lengths)
    ends, up_to = (np.concatenate([[0], np.cumsum(each)]) for each in (counts, sizes))
    return _Some(records, pieces, owners, ~is_cut, ends, up_to)


def _pieces(
    records: pa.RecordBatch, is_cut: npt.NDArray[np.bool_], explode: Explode
) -> tuple[Pieces, Numbers]:
    """The pieces of the records `is_cut`, and the number of the record that each is of."""
    pieces = pieces_of(records.column("value").filter(pa.array(is_cut)), explode)
    return pieces, np.flatnonzero(is_cut)[pieces.owners]


def _sums(owners: Numbers, sizes: Numbers, count: int) -> Numbers:
    found: Numbers = np.bincount(owners, sizes, count).astype(np.int64)
    return found


def _lengths(values: pa.BinaryArray) -> Numbers:
    lengths = pc.fill_null(pc.binary_length(values), 0)
    found: Numbers = lengths.to_numpy(zero_copy_only=False).astype(np.int64)
    return found
