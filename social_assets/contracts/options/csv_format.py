"""The form of CSV files: what a contract declares of it, and what a file has.

Belongs here: the values. Finding the dialect of a file belongs to `ingest.files.detect_dialect`,
cutting its text into fields to `transform.csv_fields`. Imports nothing of ours.
"""

from __future__ import annotations

import codecs
import csv
import json
from dataclasses import asdict, dataclass
from typing import Literal

Decimal = Literal[".", ","]

DELIMITERS = (",", ";", "\t", "|", "::")
"""The delimiters that are tried where the contract declares none, in this order."""

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "::": "double colon"}
_MARK = '{"csv":'
"""Begins a stored header whose file is not UTF-8 with commas and double quotes."""


@dataclass(frozen=True)
class CsvFormat:
    """What a contract declares of its CSV files. What is None is detected for each file.

    `header` names the columns of files that have no header row. `decimal` is the decimal mark.
    """

    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    decimal: Decimal | None = None
    header: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a form that cannot be read, with the reason."""
        if self.delimiter is not None and (
            not self.delimiter or set(self.delimiter) & set('"\r\n')
        ):
            raise ValueError(
                f"csv: {self.delimiter!r} cannot be a delimiter; name a text without "
                "quotes and line breaks"
            )
        if self.quote is not None and (len(self.quote) != 1 or not self.quote.isascii()):
            raise ValueError(f"csv: {self.quote!r} cannot be a quote; name one ASCII character")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except LookupError as error:
                raise ValueError(
                    f"csv: no encoding {self.encoding!r}; use a name that Python "
                    "knows, such as cp1252"
                ) from error


DETECTED = CsvFormat()
"""Nothing is declared."""


@dataclass(frozen=True)
class CsvDialect:
    """How the records of one file are written.

    `encoding` is UTF-8 or one of a byte a character: text in another one is read as UTF-8.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    decimal: Decimal = "."

    @property
    def delimiter_name(self) -> str:
        """The delimiter in words."""
        return _NAMES.get(self.delimiter, repr(self.delimiter))

    @property
    def has_quotes(self) -> bool:
        """Whether fields can be quoted: not with a delimiter of several characters."""
        return len(self.delimiter) == 1

    def stored_header(self, header: str) -> str:
        """What `csv_header` in raw holds: the header line, under a line that tells the dialect
        unless it is the default.
        """
        if self == CsvDialect():
            return header
        told = {k: v for k, v in asdict(self).items() if v != getattr(CsvDialect(), k)}
        return f"{json.dumps({'csv': told})}\n{header}"

    def fields(self, line: str) -> list[str]:
        """The fields of a header or of a record. Raises csv.Error."""
        if not self.has_quotes:
            return line.split(self.delimiter)
        rows = csv.reader([line], delimiter=self.delimiter, quotechar=self.quote)
        return next(rows, [])


def dialect_and_header(stored: str) -> tuple[CsvDialect, str]:
    """The dialect and the header line of a `csv_header` in raw."""
    if not stored.startswith(_MARK):
        return CsvDialect(), stored
    told, header = stored.split("\n", 1)
    return CsvDialect(**json.loads(told)["csv"]), header


def is_single_byte(encoding: str) -> bool:
    """Whether each byte is a character, and the first 128 are ASCII: not so for UTF-8."""
    ascii_bytes = bytes(range(128))
    try:
        if ascii_bytes.decode(encoding) != ascii_bytes.decode():
            return False
        return all(
            len((bytes([b]) + b"A").decode(encoding, "replace")) == 2 for b in range(128, 256)
        )
    except UnicodeError:
        return False
