"""Cuts JSON records into one record for each element of an array within them.

Belongs here: the bytes of such a record. They are those of the enclosing record without the other
elements, so that raw holds nothing but bytes of the source, and each record says on its own what it
says of the element and of what encloses it: `{"id": 1, "c": [{"x": 1}, {"x": 2}]}` gives
`{"id": 1, "c": [{"x": 1}]}` and `{"id": 1, "c": [{"x": 2}]}`. A record that cannot be cut stays as
it is, and validation gives the reason. Where brackets, strings and keys stand is found by
`json_structure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.contracts.options.explode import Explode
from social_assets.ingest.files.json_documents import Positions
from social_assets.ingest.files.json_structure import (
    NONE,
    Bytes,
    Elements,
    Mask,
    Values,
    structure_of,
)
from social_assets.ingest.files.lines import BATCH_ROWS
from social_assets.ingest.records import RECORDS, ReadPosition

PIECE_BYTES = 4 << 20
"""About so many bytes of records are cut, and of new ones made, at a time: what encloses an element
is repeated, and a place takes more memory than a byte."""


def exploded(
    batches: Iterable[pa.RecordBatch], explode: Explode, position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    """The records of the elements, numbered from 1 over the file.

    Adds to the notes of `position`, at the end, how many records had no element.
    """
    number, records, without = 1, 0, 0
    for whole in chain.from_iterable(map(_slices, batches)):
        pieces = pieces_of(whole, explode)
        records, without = records + len(whole), without + pieces.without
        for values in pieces.values():
            numbers = pa.array(np.arange(number, number + len(values)), pa.int64())
            number += len(values)
            yield pa.record_batch([values, pa.nulls(len(values), pa.string()), numbers], RECORDS)
    told = f"{number - 1:,} records of {explode.element} in {records:,} enclosing ones"
    position.notes.append(f"{told}, {without:,} of them without elements" if without else told)


def _slices(batch: pa.RecordBatch) -> Iterator[pa.BinaryArray]:
    values = batch.column("value")
    sizes = pc.binary_length(values).to_numpy(zero_copy_only=False).astype(np.int64)
    for start, stop in parts_of(sizes, len(sizes)):
        yield values.slice(start, stop - start)


def parts_of(sizes: Positions, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of items that have about PIECE_BYTES together, and at most `most` of them."""
    before, start = np.cumsum(sizes) - sizes, 0
    while start < len(sizes):
        full = int(np.searchsorted(before, before[start] + PIECE_BYTES))
        stop = min(max(full, start + 1), start + most)
        yield start, stop
        start = stop


@dataclass(frozen=True)
class Pieces:
    """The records that a batch is cut into: each is the text of some spans of `buffer`, joined.

    `begins` and `ends` have a row a record. `without` counts the enclosing records that have none;
    `owners` are the numbers, from 0, of those that the records were cut out of.
    """

    buffer: Bytes
    begins: Positions
    ends: Positions
    without: int
    owners: Positions

    def between(self, first: int, end: int) -> Pieces:
        """The records from number `first` to before `end`."""
        some = slice(first, end)
        return replace(
            self, begins=self.begins[some], ends=self.ends[some], owners=self.owners[some]
        )

    def values(self) -> Iterator[pa.BinaryArray]:
        """The records, in arrays of at most BATCH_ROWS and about PIECE_BYTES."""
        lengths = self.ends - self.begins
        sizes = lengths.sum(axis=1)
        for part in parts_of(sizes, BATCH_ROWS):
            yield self._joined(slice(*part), lengths, sizes)

    def _joined(self, rows: slice, lengths: Positions, sizes: Positions) -> pa.BinaryArray:
        spans = lengths[rows].ravel()
        places = np.cumsum(spans) - spans
        index = np.repeat(self.begins[rows].ravel() - places, spans)
        index += np.arange(len(index))
        offsets = np.concatenate([[0], np.cumsum(sizes[rows])]).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.buffer[index])]
        return pa.BinaryArray.from_buffers(pa.binary(), len(offsets) - 1, buffers)


Spans = tuple[Positions, Positions]


@dataclass(frozen=True)
class _Branches:
    """What was followed so far. Each branch stands in a record or in an element, its `core`, and
    has reached a value in it. `before` and `after` are the spans around the core that a piece keeps
    of each enclosing record or element, in their order.
    """

    core: Spans
    values: Values
    before: tuple[Spans, ...] = ()
    after: tuple[Spans, ...] = ()

    def of(self, chosen: Mask | Positions) -> _Branches:
        """Some of the branches, by a mask or by their numbers."""
        return _Branches(
            _some(self.core, chosen),
            self.values.of(chosen),
            tuple(_some(each, chosen) for each in self.before),
            tuple(_some(each, chosen) for each in self.after),
        )

    def at(self, elements: Elements, closes: Positions) -> _Branches:
        """These branches, one for each element of an array that `closes` there."""
        begins, ends = self.core
        return _Branches(
            (elements.begins, elements.ends),
            elements.values,
            (*self.before, (begins, self.values.begins + 1)),
            ((closes, ends), *self.after),
        )

    def spans(self, depth: int) -> Spans:
        """The begins and ends of all spans of each piece, filled up to those of `depth` arrays."""
        none = np.zeros(len(self.core[0]), np.int64)
        spare = [(none, none)] * (2 * (depth - len(self.before)))
        spans = [*self.before, self.core, *self.after, *spare]
        begins, ends = (np.stack([span[side] for span in spans], axis=1) for side in (0, 1))
        return begins, ends


def _some(spans: Spans, chosen: Mask | Positions) -> Spans:
    return spans[0][chosen], spans[1][chosen]


def pieces_of(records: pa.BinaryArray, explode: Explode) -> Pieces:
    """Cut records, none of which is empty."""
    structure = structure_of(records)
    whole, is_object = (structure.begins, structure.ends), structure.is_object
    live = _Branches(_some(whole, is_object), structure.objects())
    others = _some(whole, ~is_object)
    done = [_Branches(others, structure.values_at(others[0]))]
    for depth, level in enumerate(explode.levels, start=1):
        if level is None:
            is_array = structure.is_array(live.values)
            done.append(live.of(~is_array))
            arrays = live.of(is_array)
            elements = structure.elements(arrays.values, depth)
            live = arrays.of(elements.arrays)
            live = live.at(elements, live.values.closes)
        else:
            begins = structure.members(live.values, level, depth)
            is_absent = (begins == NONE) | structure.is_null(begins)
            is_rejected = is_absent & ~(explode.may_be_absent & structure.is_object_at(live.values))
            done.append(live.of(is_rejected))
            live = live.of(~is_absent)
            live = replace(live, values=structure.values_at(begins[~is_absent]))
    depth = explode.levels.count(None)
    cut = [branches.spans(depth) for branches in (*done, live)]
    begins, ends = (np.concatenate([each[side] for each in cut]) for side in (0, 1))
    order = np.argsort(np.concatenate([each.core[0] for each in (*done, live)]), kind="stable")
    # The first span of a piece begins with its record.
    owners = np.searchsorted(structure.begins, begins[order, 0], "right") - 1
    without = len(records) - len(np.unique(owners))
    return Pieces(structure.buffer, begins[order], ends[order], without, owners)
