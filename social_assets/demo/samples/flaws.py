"""Errors in records, declared once and applied a column at a time.

Belongs here: the kinds of errors as data, drawing which record gets which one, and applying it.
Each stream declares its errors and how frequent they are. A record has at most one flaw, so that
the counts say exactly how many records a consumer must reject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from social_assets.demo.samples.formats import TextFormat
from social_assets.demo.samples.world import Ints

Rewrite = Callable[[TextFormat, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class FieldFlaw:
    """Replaces the value of a column by one of `values`, at random.

    `bytes` among the values are written to a text file unchanged. `text_only` means that the values
    do not have the column's type, so Parquet cannot store them. `rejects` means that the contract
    rejects the record.
    """

    kind: str
    column: str
    share: float
    values: tuple[object, ...]
    rejects: bool = True
    text_only: bool = False


@dataclass(frozen=True)
class Respelling:
    """Writes a value in another spelling with the same meaning: pairs of value and spelling."""

    kind: str
    column: str
    share: float
    spellings: tuple[tuple[object, object], ...]
    rejects: bool = False
    text_only: bool = False


@dataclass(frozen=True)
class LineFlaw:
    """A line of a text file is broken: `rewrite` gives it from the rendered fields."""

    kind: str
    share: float
    rewrite: Rewrite
    rejects: bool = True


Flaw = FieldFlaw | Respelling | LineFlaw


def truncated(text: TextFormat, fields: Mapping[str, Any]) -> Any:
    """Cuts the line, as if the writer had been killed."""
    return _broken(pc.binary_slice(text.lines(fields), 0, -29))


def blank_after(text: TextFormat, fields: Mapping[str, Any]) -> Any:
    """Adds an empty line after the record."""
    return _broken(text.lines(fields))


def no_object(text: TextFormat, fields: Mapping[str, Any]) -> Any:
    """Writes JSON that is not an object."""
    del text
    first = next(iter(fields.values()))
    return pc.binary_join_element_wise(pa.scalar(b"["), first, pa.scalar(b"]\n"), pa.scalar(b""))


def shifted_from(column: str) -> Rewrite:
    """Leaves out the column, so that the following ones move one place to the left."""

    def shifted(text: TextFormat, fields: Mapping[str, Any]) -> Any:
        absent = next(n for n in fields if n.replace(" ", "").replace("_", "").lower() == column)
        return text.lines({n: values for n, values in fields.items() if n != absent})

    return shifted


@dataclass(frozen=True)
class Flaws:
    """The flaws that a stream's files of one format have."""

    flaws: Sequence[Flaw]
    _edges: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        edges = np.cumsum([flaw.share for flaw in self.flaws])
        object.__setattr__(self, "_edges", edges)

    @property
    def none(self) -> int:
        """The mark of a record without flaw."""
        return len(self.flaws)

    def draw(self, n: int, rng: np.random.Generator, most_rejected: float = 1.0) -> Ints:
        """For each of `n` records the number of its flaw, or `none`.

        At most the share `most_rejected` of the records gets a flaw that a contract rejects; the
        later ones beyond it have none.
        """
        marks = np.searchsorted(self._edges, rng.random(n), side="right")
        rejecting = np.array([*(flaw.rejects for flaw in self.flaws), False])[marks]
        marks[rejecting & (np.cumsum(rejecting) > most_rejected * n)] = self.none
        return marks

    def counts(self, marks: Ints) -> list[tuple[Flaw, int]]:
        """How many records have each flaw."""
        found = np.bincount(marks, minlength=self.none + 1)
        return [(flaw, int(n)) for flaw, n in zip(self.flaws, found, strict=False) if n]

    def into_table(self, table: Any, marks: Ints, rng: np.random.Generator) -> Any:
        """Apply the flaws that a typed file can have."""
        for number, flaw in enumerate(self.flaws):
            hit = marks == number
            if isinstance(flaw, LineFlaw) or flaw.text_only:
                raise ValueError(f"{flaw.kind} cannot be written to a Parquet file")
            if hit.any():
                at = table.column_names.index(flaw.column)
                column = table.column(at).combine_chunks()
                plain = column.dictionary_decode() if _is_dictionary(column) else column
                spoilt = _put(flaw, plain, hit, partial(pa.array, type=plain.type), rng)
                table = table.set_column(at, flaw.column, spoilt)
        return table

    def into_lines(
        self,
        text: TextFormat,
        names: Mapping[str, str],
        fields: Mapping[str, Any],
        marks: Ints,
        rng: np.random.Generator,
    ) -> Any:
        """The lines of rendered fields with flaws applied; `names` are the file's column names."""

        def rendered(values: Sequence[object]) -> Any:
            raw = [v if isinstance(v, bytes) else text.value(v) for v in values]
            return pa.array(raw, pa.binary())

        spoilt = dict(fields)
        for number, flaw in enumerate(self.flaws):
            hit = marks == number
            if not isinstance(flaw, LineFlaw) and hit.any():
                spoilt[flaw.column] = _put(flaw, spoilt[flaw.column], hit, rendered, rng)
        spelled = {names[name]: column for name, column in spoilt.items()}
        lines = text.lines(spelled)
        for number, flaw in enumerate(self.flaws):
            hit = marks == number
            if isinstance(flaw, LineFlaw) and hit.any():
                chosen = {name: column.filter(pa.array(hit)) for name, column in spelled.items()}
                lines = pc.replace_with_mask(lines, pa.array(hit), flaw.rewrite(text, chosen))
        return lines


def _put(
    flaw: FieldFlaw | Respelling,
    column: Any,
    hit: NDArray[np.bool_],
    encoded: Callable[[Sequence[object]], Any],
    rng: np.random.Generator,
) -> Any:
    """The column with the flaw where `hit`; `encoded` makes an array of the column's kind."""
    mask = pa.array(hit)
    if isinstance(flaw, FieldFlaw):
        values = encoded(flaw.values)
        put = values.take(pa.array(rng.integers(0, len(values), int(hit.sum()))))
    else:
        told, written = (encoded(side) for side in zip(*flaw.spellings, strict=True))
        kept = column.filter(mask)
        put = pc.coalesce(written.take(pc.index_in(kept, value_set=told)), kept)
    return pc.replace_with_mask(column, mask, put)


def _broken(lines: Any) -> Any:
    return pc.binary_join_element_wise(lines, pa.scalar(b"\n"), pa.scalar(b""))


def _is_dictionary(column: Any) -> bool:
    return bool(pa.types.is_dictionary(column.type))
