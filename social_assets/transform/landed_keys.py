"""The set of keys that have landed on an event date: exact, in bounded memory.

Belongs here: the set of keys that a drain holds, and asks for each micro-batch. A key is
represented by its MD5 of 128 bits, like the surrogate keys of the warehouse. The step decides which
table the keys are read from.

The set is a log-structured merge of sorted runs (O'Neil et al., "The Log-Structured Merge-Tree",
1996): each run is at least twice as long as the next, so a lookup is a binary search in about
log2(rows / batch) runs, and a key is merged as often. It takes 16 bytes a key; runs of over
MEMORY_KEYS are in memory-mapped files. Not used: a table in DuckDB (a lookup scans the whole day,
50 ms for 10 M keys, at each batch) and a Bloom filter (it needs that scan for every true
duplicate).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from social_assets.contracts.contract import Contract

KEY_HASH = "key_hash"
"""The column of a key's MD5, as DuckDB gives it to Arrow: 128 bits as a decimal."""
KEY_HASH_TYPE = pa.decimal128(38, 0)

MEMORY_KEYS = 4_000_000
"""Longer runs are kept in a memory-mapped file."""

UInt64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@ibis.udf.scalar.builtin(name="md5_number", signature=((dt.string,), dt.Decimal(38, 0)))
def _md5(text: str) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="md5_number_lower", signature=((dt.string,), dt.uint64))
def _md5_high(text: str) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="md5_number_upper", signature=((dt.string,), dt.uint64))
def _md5_low(text: str) -> int: ...  # type: ignore[empty-body]


def key_hash(rows: ir.Table, contract: Contract) -> ir.DecimalValue:
    """The MD5 of each row's key; null if a part of the key is null."""
    return _md5(_key_text(rows, contract))


def key_halves(rows: ir.Table, contract: Contract) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    """The high and the low 64 bits of `key_hash`, as `halves` gives them."""
    text = _key_text(rows, contract)
    return _md5_high(text), _md5_low(text)


def _key_text(rows: ir.Table, contract: Contract) -> ir.StringValue:
    parts = [rows[name].cast("string") for name in contract.key]
    # With the lengths, ('a', 'bc') and ('ab', 'c') differ.
    lengths = [part.length().cast("string").concat(":") for part in parts[:-1]]
    first, *others = [*lengths, *parts]
    return first.concat(*others) if others else first


def halves(hashes: pa.ChunkedArray) -> tuple[UInt64, UInt64]:
    """The high and the low 64 bits of a column of KEY_HASH_TYPE without nulls."""
    words = [
        np.frombuffer(chunk.buffers()[1], np.uint64)[2 * chunk.offset :][: 2 * len(chunk)]
        for chunk in hashes.chunks
    ]
    both = np.concatenate([np.empty(0, np.uint64), *words]).reshape(-1, 2)
    return both[:, 1].copy(), both[:, 0].copy()


@dataclass(frozen=True)
class _Run:
    """Sorted keys: `high` ascending, `low` beside it."""

    high: UInt64
    low: UInt64

    def __len__(self) -> int:
        return len(self.high)

    def has(self, high: UInt64, low: UInt64) -> Flags:
        """Whether each key is in the run."""
        at = np.searchsorted(self.high, high)
        found: Flags = np.zeros(len(high), bool)
        # Different keys with the same high half (probability 2^-64) are adjacent, and are compared
        # too.
        while (near := at < len(self)).any():
            same = np.zeros(len(high), bool)
            same[near] = self.high[at[near]] == high[near]
            if not same.any():
                break
            found[same] |= self.low[at[same]] == low[same]
            at = np.where(same & ~found, at + 1, len(self))
        return found


@dataclass
class LandedKeys:
    """The keys of one event date; `spill` is the folder for its large runs."""

    spill: Path
    _runs: list[_Run] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def admit(self, high: UInt64, low: UInt64) -> Flags:
        """Whether each key is new, in this order; the new keys are then in the set."""
        order = np.lexsort((np.arange(len(high)), low, high))
        sorted_high, sorted_low = high[order], low[order]
        first = np.ones(len(high), bool)
        first[1:] = (sorted_high[1:] != sorted_high[:-1]) | (sorted_low[1:] != sorted_low[:-1])
        for run in self._runs:
            first &= ~run.has(sorted_high, sorted_low)
        self._add(_Run(sorted_high[first], sorted_low[first]))
        admitted: Flags = np.empty(len(high), bool)
        admitted[order] = first
        return admitted

    def _add(self, run: _Run) -> None:
        if not len(run):
            return
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = self._merged(self._runs.pop(), run)
        self._runs.append(run)

    def _merged(self, one: _Run, other: _Run) -> _Run:
        high = np.concatenate([one.high, other.high])
        # A stable sort: it merges two sorted halves.
        order = np.argsort(high, kind="stable")
        low = np.concatenate([one.low, other.low])[order]
        high = high[order]
        if len(high) <= MEMORY_KEYS:
            return _Run(high, low)
        return _Run(self._mapped(high), self._mapped(low))

    def _mapped(self, values: UInt64) -> UInt64:
        """The values in an unnamed file, which the system deletes when the process ends."""
        self.spill.mkdir(parents=True, exist_ok=True)
        path = self.spill / f"landed-keys-{uuid.uuid4().hex}"
        values.tofile(path)
        mapped: UInt64 = np.memmap(path, np.uint64, "r")
        path.unlink()
        return mapped
