"""Renders columns as the lines of a text file: NDJSON and CSV, a column at a time.

Belongs here: spellings of column names, and rendering of values and whole columns. Does not belong
here: errors in a file (`flaws`); Parquet, which pyarrow writes from the columns. Every rendered
column is a binary Arrow array without nulls, so that lines may have any bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc


class Spelling(Enum):
    """The ways in which real files spell `total_time_spent`."""

    SNAKE = "total_time_spent"
    CAMEL = "totalTimeSpent"
    PASCAL = "TotalTimeSpent"
    TITLE = "Total Time Spent"
    UNDERSCORED = "Total_Time_Spent"

    def of(self, name: str) -> str:
        """The name of a column in this spelling."""
        if self is Spelling.SNAKE:
            return name
        words = [self._word(w) for w in name.split("_")]
        if self is Spelling.CAMEL:
            words[0] = words[0].lower()
        blank = {Spelling.TITLE: " ", Spelling.UNDERSCORED: "_"}.get(self, "")
        return blank.join(words)

    def _word(self, word: str) -> str:
        abbreviated = word in ("id", "os") and self is not Spelling.CAMEL
        return word.upper() if abbreviated else word.capitalize()


class TextFormat(Protocol):
    """Renders columns and joins them to lines, each with its line break."""

    def value(self, value: object) -> bytes:
        """One value as it stands in a line."""
        ...

    def column(self, column: Any) -> Any:
        """Every value of a column as it stands in a line."""
        ...

    def header(self, names: Sequence[str]) -> bytes:
        """The beginning of a file."""
        ...

    def lines(self, fields: Mapping[str, Any]) -> Any:
        """One line a record from rendered columns by the names that the file gives them."""
        ...


class Ndjson:
    """One JSON object a line, spaced as Python's json writes it."""

    def value(self, value: object) -> bytes:
        """One value as JSON."""
        return json.dumps(value, ensure_ascii=False).encode()

    def column(self, column: Any) -> Any:
        """Every value of a column as JSON."""
        if pa.types.is_dictionary(column.type):
            return pc.fill_null(self.column(column.dictionary).take(column.indices), b"null")
        if pa.types.is_timestamp(column.type):
            rendered = _quoted(iso(column))
        elif pa.types.is_list(column.type):
            quoted = pa.ListArray.from_arrays(column.offsets, _quoted(_escaped(column.values)))
            inner = pc.binary_join(quoted, b", ")
            rendered = _joined("[", inner, "]")
        elif pa.types.is_string(column.type):
            rendered = _quoted(_escaped(column))
        else:
            rendered = column.cast(pa.string()).cast(pa.binary())
        return pc.fill_null(rendered, b"null")

    def header(self, names: Sequence[str]) -> bytes:
        """Empty: the names are in every line."""
        del names
        return b""

    def lines(self, fields: Mapping[str, Any]) -> Any:
        """One object a record."""
        parts: list[Any] = []
        for name, values in fields.items():
            parts += [f'{", " if parts else "{"}"{name}": ', values]
        return _joined(*parts, "}\n")


class Csv:
    """Comma separated, quoted where need be, booleans in capitals as a spreadsheet writes them."""

    def value(self, value: object) -> bytes:
        """One value as a field."""
        if value is None:
            return b""
        if isinstance(value, bool):
            return str(value).upper().encode()
        text = str(value)
        return (f'"{text}"' if "," in text else text).encode()

    def column(self, column: Any) -> Any:
        """Every value of a column as a field."""
        if pa.types.is_dictionary(column.type):
            return pc.fill_null(self.column(column.dictionary).take(column.indices), b"")
        text = column.cast(pa.string())
        if pa.types.is_boolean(column.type):
            text = pc.utf8_upper(text)
        quoted = pc.if_else(pc.match_substring(text, ","), _quoted(text), text.cast(pa.binary()))
        return pc.fill_null(quoted, b"")

    def header(self, names: Sequence[str]) -> bytes:
        """The line of names."""
        return (",".join(names) + "\n").encode()

    def lines(self, fields: Mapping[str, Any]) -> Any:
        """One line of fields a record."""
        parts: list[Any] = []
        for values in fields.values():
            parts += [",", values]
        return _joined(*parts[1:], "\n")


def iso(timestamps: Any) -> Any:
    """ISO 8601 of UTC timestamps in whole seconds, as binary."""
    # Arrow's strftime does the same in ten times the time.
    text = timestamps.cast(pa.timestamp("s")).cast(pa.string()).cast(pa.binary())
    return _joined(pc.binary_replace_slice(text, 10, 11, b"T"), "Z")


def _escaped(column: Any) -> Any:
    text = column.cast(pa.string())
    return pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')


def _quoted(column: Any) -> Any:
    return _joined('"', column, '"')


def _joined(*parts: Any) -> Any:
    """Concatenate constants and columns, record by record; a null makes the record null."""
    binary = pa.binary()
    scalars = [pa.scalar(p, binary) if isinstance(p, str) else p.cast(binary) for p in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar(b"", binary))
