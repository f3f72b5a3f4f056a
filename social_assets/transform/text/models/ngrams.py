"""Counts of the words and characters of texts, without a loop over them in Python.

Belongs here: words, pairs of words, and runs of two to five characters within a word with its
edges, each as a number below 2^21 (Weinberger et al., "Feature Hashing for Large Scale Multitask
Learning", 2009). What the counts weigh belongs to the model.

A batch is one array of code points. Hashes of all runs of a length are differences of one running
sum, so that a batch costs some passes of NumPy over its characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BUCKETS = 1 << 21
_SHIFT = np.uint64(64 - 21)
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_BATCH_CHARACTERS = 1 << 18
_RUNS = (2, 3, 4, 5)
_SPACE = 32
_LINK = re.compile(r"https?://\S+")
_HIGHEST = 0x110000

UInt64 = NDArray[np.uint64]
Buckets = NDArray[np.int32]


@dataclass(frozen=True)
class CountedTexts:
    """Counts of some texts, one row a text, one column a bucket: of words, and of characters."""

    words: csr_matrix
    characters: csr_matrix


def counted(texts: Sequence[str], columns: Buckets | None = None) -> Iterator[CountedTexts]:
    """Count batches of texts in order.

    `columns` has for each bucket its column, or -1 if it is not counted; without it each bucket is
    its own column.
    """
    batch: list[str] = []
    characters = 0
    for text in texts:
        lower = text.lower()
        if "://" in lower:
            lower = _LINK.sub(" link ", lower)
        plain = f" {' '.join(lower.split())} "
        batch.append(plain)
        characters += len(plain)
        if characters >= _BATCH_CHARACTERS:
            yield _counted_batch(batch, columns)
            batch, characters = [], 0
    if batch:
        yield _counted_batch(batch, columns)


class _Hashes:
    """Hashes of runs of a batch's characters."""

    def __init__(self, codes: UInt64) -> None:
        powers, self._inverses = _powers(len(codes))
        self._sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum((codes + np.uint64(1)) * powers, out=self._sums[1:])

    def of(self, starts: Any, ends: Any, salt: int) -> UInt64:
        """A number for the characters of [start, end), that says nothing of where they stand."""
        found: UInt64 = (self._sums[ends] - self._sums[starts]) * self._inverses[starts]
        return found + np.uint64(salt)


def _counted_batch(texts: Sequence[str], columns: Buckets | None) -> CountedTexts:
    codes, rows = _code_points(texts)
    hashes = _Hashes(codes)
    words = _words(codes, rows, hashes)
    runs = [_runs(codes, rows, hashes, length) for length in _RUNS]
    return CountedTexts(
        _matrix(words, len(texts), columns),
        _matrix(runs, len(texts), columns),
    )


def _code_points(texts: Sequence[str]) -> tuple[UInt64, NDArray[np.int32]]:
    """The code points of all texts, and the text of each. Lone surrogates are code points too."""
    content = "".join(texts).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(content, np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return codes, np.repeat(np.arange(len(texts), dtype=np.int32), lengths)


def _words(
    codes: UInt64, rows: NDArray[np.int32], hashes: _Hashes
) -> list[tuple[NDArray[np.int32], UInt64]]:
    """Words of letters and digits, and pairs of neighbours, as texts and hashes."""
    is_word = _word_characters()[codes.astype(np.int64)]
    edges = np.diff(is_word.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    of_word, found = rows[starts], hashes.of(starts, ends, 1)
    beside = of_word[1:] == of_word[:-1]
    pairs = found[:-1] * _MIX + found[1:]
    return [(of_word, found), (of_word[1:][beside], pairs[beside])]


def _runs(
    codes: UInt64, rows: NDArray[np.int32], hashes: _Hashes, length: int
) -> tuple[NDArray[np.int32], UInt64]:
    """Runs of a number of characters, of which none but the first and last is a space."""
    spaces = np.concatenate(([0], np.cumsum(codes == _SPACE)))
    starts = np.arange(max(0, len(codes) - length + 1))
    inside = spaces[starts + length - 1] == spaces[starts + 1]
    # Every text begins and ends with a space: a run over two texts has both.
    both = (codes[starts] == _SPACE) & (codes[starts + length - 1] == _SPACE)
    starts = starts[inside & ~(both & (length == 2))]
    return rows[starts], hashes.of(starts, starts + length, length * 2)


def _matrix(
    parts: Sequence[tuple[NDArray[np.int32], UInt64]] | Any, size: int, columns: Buckets | None
) -> csr_matrix:
    from scipy.sparse import coo_matrix

    of_text = np.concatenate([rows for rows, _ in parts])
    mixed = np.concatenate([hashes for _, hashes in parts])
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _MIX
    buckets = (mixed >> _SHIFT).astype(np.int32)
    width = BUCKETS
    if columns is not None:
        buckets = columns[buckets]
        known = buckets >= 0
        of_text, buckets = of_text[known], buckets[known]
        width = int(columns.max(initial=-1)) + 1
    counts = coo_matrix(
        (np.ones(len(buckets), np.float32), (of_text, buckets)), shape=(size, max(width, 1))
    ).tocsr()
    counts.sum_duplicates()
    return counts


def _powers(size: int) -> tuple[UInt64, UInt64]:
    """Powers of the base and of its inverse, which are multiplied modulo 2^64."""
    kept = _KEPT_POWERS
    if not kept or len(kept[0]) < size:
        wanted = max(size, 2 * _BATCH_CHARACTERS)
        kept[:] = [_cumulated(_BASE, wanted), _cumulated(_INVERSE, wanted)]
    return kept[0][:size], kept[1][: size + 1]


_KEPT_POWERS: list[UInt64] = []


def _cumulated(base: int, size: int) -> UInt64:
    factors = np.full(size + 1, np.uint64(base))
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _word_characters() -> NDArray[np.bool_]:
    """For every code point whether it stands in words: letters, digits and what is like them."""
    if not _KEPT_CHARACTERS:
        _KEPT_CHARACTERS.append(
            np.fromiter((chr(code).isalnum() for code in range(_HIGHEST)), np.bool_, _HIGHEST)
        )
    return _KEPT_CHARACTERS[0]


_KEPT_CHARACTERS: list[NDArray[np.bool_]] = []
