"""Packs sequences of items into rows of equal length, so that a batch has hardly any padding.

Belongs here: cutting sequences into pieces, and placing several pieces in a row. NumPy only. Does
not belong here: what is learned from a row (`training`).

Source: Krell et al., "Efficient Sequence Packing without Cross-contamination" (arXiv 2107.02027);
pieces of a row have different numbers in `segments`, and attention stays within a number.
"""

from dataclasses import dataclass

import numpy as np

from recsys.scoring.ranking import Int32, Int64


@dataclass(frozen=True)
class SequencePieces:
    """Sequences cut into pieces: piece p is items[indptr[p]:indptr[p+1]], in the order of time."""

    indptr: Int64
    items: Int32

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @classmethod
    def of(cls, indptr: Int64, items: Int32, length: int) -> "SequencePieces":
        """Cut each sequence into pieces of `length` items; the first piece has what remains.

        So the last piece, which ends with the newest item, is full.
        """
        lengths = np.diff(indptr)
        place = np.arange(len(items)) - np.repeat(indptr[:-1], lengths)
        from_end = np.repeat(lengths, lengths) - place
        begins = (place == 0) | (from_end % length == 0)
        starts = np.flatnonzero(begins)
        return cls(np.append(starts, len(items)), items)


@dataclass(frozen=True)
class PackedRows:
    """int32[rows, width] each: what the model reads, what it is to predict from it, the number of
    the piece in its row (0 for padding), and the place in the piece.
    """

    inputs: Int32
    targets: Int32
    segments: Int32
    places: Int32

    def __len__(self) -> int:
        return len(self.inputs)


def pack(pieces: SequencePieces, order: Int64, width: int, start: int, multiple: int) -> PackedRows:
    """The pieces in the given order, as many in a row of `width` as fit.

    A piece is read as the token `start` and all of its items but the last; each place predicts the
    next item. Empty rows make the number of rows a `multiple`.
    """
    lengths = np.diff(pieces.indptr)[order]
    ends = np.cumsum(lengths)
    begins = ends - lengths
    first = _first_pieces(ends, width)
    row_of_piece = np.searchsorted(first, np.arange(len(order)), side="right") - 1
    number = np.arange(len(order)) - first[row_of_piece] + 1
    offset = begins - begins[first[row_of_piece]]

    piece = np.repeat(np.arange(len(order)), lengths)
    place = np.arange(ends[-1] if len(ends) else 0) - begins[piece]
    targets = pieces.items[pieces.indptr[:-1][order][piece] + place]
    inputs = np.where(place == 0, start, np.roll(targets, 1))

    rows = -(-len(first) // multiple) * multiple
    packed = [np.zeros((rows, width), dtype=np.int32) for _ in range(4)]
    at = (row_of_piece[piece], offset[piece] + place)
    for array, values in zip(packed, (inputs, targets, number[piece], place), strict=True):
        array[at] = values
    return PackedRows(*packed)


def _first_pieces(ends: Int64, width: int) -> Int64:
    """The first piece of each row: a row takes pieces until the next one does not fit."""
    first, piece = [], 0
    while piece < len(ends):
        first.append(piece)
        begin = ends[piece - 1] if piece else 0
        piece = int(np.searchsorted(ends, begin + width, side="right"))
    return np.array(first, dtype=np.int64)
