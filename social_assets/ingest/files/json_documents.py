"""Cuts a JSON document into records: an array, an array within objects, or objects in sequence.

Belongs here: where each record of the document begins and ends; raw keeps its bytes. Memory is
bounded by a block and a record, whatever the size of the document. NDJSON, where a line is a
record, belongs to `lines`; finding out which of both a file is, to `detect_json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from social_assets.contracts.options.explode import Level, levels_of
from social_assets.ingest.files.lines import BATCH_ROWS, BLOCK_BYTES, cut, of_bounded_rows
from social_assets.ingest.records import RECORDS, FileError

Positions = npt.NDArray[np.int64]
_QUOTE, _BACKSLASH, _COMMA = ord('"'), ord("\\"), ord(",")
_OPENS, _CLOSES = ord("{"), ord("}")
"""Of both kinds of bracket: those of arrays differ in one bit, which is not looked at."""
_BLANK = b" \t\r\n"
_MOST_BLANKS = 256
MOST_OUTSIDE = 64 << 20
"""The longest text of a document that is no record: it is held whole."""
_LEAST_PIECE = 4 << 10
_TOKEN = re.compile(rb'\s*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)', re.DOTALL)
_MARKS = (b"{", b"}", b"[", b"]", b",", b":")


@dataclass(frozen=True)
class Layout:
    """Where the records of a document stand.

    `path` leads to the arrays that hold the records: `(None,)` for a top-level array, `("data",
    None)` for the array under `data`, `(None, "data", None)` for those of several pages. An empty
    path means that each value of a sequence is a record.
    """

    path: tuple[Level, ...] = (None,)

    @classmethod
    def of(cls, text: str) -> Layout:
        """From the words of a contract: `data`, `pages[].data`; empty for a top-level array."""
        return cls(levels_of(text))

    @property
    def told(self) -> str:
        """For a report."""
        if not self.path:
            return "a sequence of objects"
        return f"records at {self}" if len(self.path) > 1 else "an array"

    def __str__(self) -> str:
        """In the words of a contract."""
        text = "".join("[]" if level is None else f".{level}" for level in self.path)
        return text.removesuffix("[]").removeprefix(".")


def document_batches(
    blocks: Iterable[bytes], path: Path, layout: Layout, max_record_bytes: int
) -> Iterator[pa.RecordBatch]:
    """The records of a document, numbered from 1, as batches of RECORDS, of at most BATCH_ROWS and
    about a block.

    A record over `max_record_bytes` is cut to that many bytes and CUT. Raises FileError for a
    document that ends too early.
    """
    reader = _Reader(path, layout, max_record_bytes)
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in chain(chain.from_iterable(map(reader.records, blocks)), reader.end()):
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= BATCH_ROWS or size >= BLOCK_BYTES:
            yield from of_bounded_rows(pa.concat_batches(waiting))
            waiting, rows, size = [], 0, 0
    if waiting:
        yield from of_bounded_rows(pa.concat_batches(waiting))


@dataclass
class _Scan:
    """The structure of a text outside of its strings, piece by piece.

    A piece must not end in a backslash that escapes the next character.
    """

    depth: int = 0
    in_string: bool = False

    def of(
        self, buffer: npt.NDArray[np.uint8]
    ) -> tuple[Positions, npt.NDArray[np.uint8], Positions]:
        """The places of brackets and commas, which they are, and the depth after each."""
        quotes = unescaped(np.flatnonzero(buffer == _QUOTE), buffer)
        # `[` and `{` differ in one bit, as `]` and `}` do.
        folded = buffer | 0x20
        places = np.flatnonzero((buffer == _COMMA) | (folded == _OPENS) | (folded == _CLOSES))
        is_inside = (np.searchsorted(quotes, places) + self.in_string) % 2 == 1
        places = places[~is_inside]
        kinds = folded[places]
        depths = self.depth + np.cumsum((kinds == _OPENS).astype(np.int64) - (kinds == _CLOSES))
        if len(depths):
            self.depth = int(depths[-1])
        self.in_string = bool((len(quotes) + self.in_string) % 2)
        return places, kinds, depths


def unescaped(quotes: Positions, buffer: npt.NDArray[np.uint8]) -> Positions:
    """The quotes that have an even count of backslashes before them."""
    slashes = np.flatnonzero(buffer == _BACKSLASH)
    if not len(slashes):
        return quotes
    begins = np.flatnonzero(np.diff(slashes, prepend=-2) != 1)
    lengths = np.diff(begins, append=len(slashes))
    is_escaped = np.zeros(len(buffer) + 1, bool)
    is_escaped[slashes[begins + lengths - 1][lengths % 2 == 1] + 1] = True
    return quotes[~is_escaped[quotes]]


class _Reader:
    """Reads one document, piece by piece: its outer parts token by token, its records at once."""

    def __init__(self, file: Path, layout: Layout, max_record_bytes: int) -> None:
        self._file = file
        self._path = list(layout.path)
        # A line of a sequence may end in a comma, as if it were an array.
        self._blank = _BLANK if layout.path else _BLANK + b","
        self._max = max_record_bytes
        self._number = 1
        self._found = not layout.path
        self._stack: list[Level] = []
        self._key = ""
        # What a later piece completes: a token outside of the records, or the begin of a record,
        # of which no more is kept than what makes it too long.
        self._held = b""
        self._escape = b""
        # Set within an array of records and in a sequence.
        self._scan: _Scan | None = None if layout.path else _Scan()
        self._piece = _LEAST_PIECE

    def records(self, block: bytes) -> Iterator[pa.RecordBatch]:
        """The records that end in a block."""
        data, self._escape = self._escape + block, b""
        place = 0
        while place < len(data):
            if self._scan is None:
                place = self._outside(data, place)
                continue
            # In pieces that grow: an array may end soon, and what follows it holds no records.
            piece = data[place : place + self._piece]
            if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
                piece = piece[:-1] or data[place : place + 2]
            if len(piece) == 1 and piece == b"\\":
                self._escape = piece
                return
            self._piece = min(2 * self._piece, BLOCK_BYTES)
            batch, taken = self._inside(self._scan, piece)
            place += taken
            if batch.num_rows:
                yield batch

    def end(self) -> Iterator[pa.RecordBatch]:
        """The last value of a sequence. Raises FileError for a document that is not complete."""
        left = (self._held + self._escape).strip(self._blank)
        if (self._scan is not None and self._path) or self._stack:
            raise FileError(
                self._file,
                f"the JSON document ends before it is complete, after record {self._number - 1}; "
                "copy the file again",
            )
        if not self._found:
            where = str(Layout(tuple(self._path))) or "its top level"
            raise FileError(self._file, f"the JSON document has no array of records at {where}")
        if left and self._scan is not None:
            yield self._batch(np.empty(0, np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int64))

    def _outside(self, data: bytes, place: int) -> int:
        """Take tokens up to an array of records; returns the place after its bracket."""
        if self._held:
            held, self._held = self._held, b""
            return self._outside(held + data[place:], 0) - len(held) + place
        while token := _TOKEN.match(data, place):
            if token.end() == len(data) and token[1] not in _MARKS:
                break
            place = token.end()
            if self._take(token[1]):
                self._scan, self._piece, self._found = _Scan(), _LEAST_PIECE, True
                return place
        self._held = data[place:]
        if len(self._held) > MOST_OUTSIDE:
            told = f"a text of over {MOST_OUTSIDE >> 20} MiB outside of the records"
            raise FileError(self._file, f"{told}, after record {self._number - 1}")
        return len(data)

    def _take(self, token: bytes) -> bool:
        """Follow one token; true if it opens an array of records."""
        if token == b"[":
            self._stack.append(None)
            return self._stack == self._path
        if token == b"{":
            self._stack.append("")
        elif token in (b"}", b"]"):
            self._stack = self._stack[:-1]
        elif token == b":" and self._stack and self._stack[-1] is not None:
            self._stack[-1] = self._key
        elif token.startswith(b'"'):
            self._key = token[1:-1].decode("utf-8", "replace")
        return False

    def _inside(self, scan: _Scan, piece: bytes) -> tuple[pa.RecordBatch, int]:
        """The records that end in a piece, and how much of it is taken: up to their array's end."""
        buffer = np.frombuffer(piece, np.uint8)
        places, kinds, depths = scan.of(buffer)
        if not self._path:
            ends = places[(depths == 0) & (kinds == _CLOSES)] + 1
            return self._batch(buffer, np.concatenate([[0], ends[:-1]]), ends), len(piece)
        closed = np.flatnonzero(depths < 0)
        in_array = slice(None, int(closed[0]) + 1 if len(closed) else None)
        is_end = (depths[in_array] < 0) | ((depths[in_array] == 0) & (kinds[in_array] == _COMMA))
        ends = places[in_array][is_end]
        batch = self._batch(buffer, np.concatenate([[0], ends[:-1] + 1]), ends, separator=1)
        if not len(closed):
            return batch, len(piece)
        self._scan, self._held, self._stack = None, b"", self._stack[:-1]
        return batch, int(ends[-1]) + 1

    def _batch(
        self, buffer: npt.NDArray[np.uint8], begins: Positions, ends: Positions, separator: int = 0
    ) -> pa.RecordBatch:
        """The values between begins and ends; the first one begins with what is held.

        Holds what follows the last end and its separator. A part of a value that is over the limit
        is not held: the value is cut anyway.
        """
        if not len(ends):
            spare = max(0, self._max + 1 - len(self._held))
            self._held += buffer[:spare].tobytes()
            return pa.RecordBatch.from_pylist([], RECORDS)
        first = (self._held + buffer[: ends[0]].tobytes()).strip(self._blank)
        after = int(ends[-1]) + separator
        self._held = buffer[after : after + self._max + 1].tobytes()
        begins, ends = _trimmed(buffer, begins[1:], ends[1:], self._blank)
        lengths = np.concatenate([[len(first)], ends - begins])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(first + _taken(buffer, begins, ends))]
        values = pa.BinaryArray.from_buffers(pa.binary(), len(lengths), buffers)
        values = values.filter(pa.array(lengths > 0))
        if (lengths > self._max).any():
            values = cut(values, self._max)
        numbers = pa.array(np.arange(self._number, self._number + len(values)), pa.int64())
        self._number += len(values)
        return pa.record_batch([values, pa.nulls(len(values), pa.string()), numbers], RECORDS)


def _trimmed(
    buffer: npt.NDArray[np.uint8], begins: Positions, ends: Positions, blank: bytes
) -> tuple[Positions, Positions]:
    """Places of values without the blanks around them, up to _MOST_BLANKS on either side."""
    is_blank = np.isin(np.arange(256), list(blank))[buffer]
    for _ in range(_MOST_BLANKS):
        leads = (begins < ends) & is_blank[np.minimum(begins, len(buffer) - 1)]
        begins = begins + leads
        trails = (begins < ends) & is_blank[ends - 1]
        ends = ends - trails
        if not (leads.any() or trails.any()):
            break
    return begins, ends


def _taken(buffer: npt.NDArray[np.uint8], begins: Positions, ends: Positions) -> bytes:
    """The bytes of all values, one after the other."""
    steps = np.zeros(len(buffer) + 1, np.int8)
    steps[begins] += 1
    steps[ends] -= 1
    is_taken = np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
    return bytes(buffer[is_taken].tobytes())
