"""Finds the dialect of a CSV file from its begin: encoding, delimiter, header row, decimal mark.

Belongs here: what is decided once for a file. The contract tells which names a header has, so a
row is the header if it names the required columns: title rows before it are skipped, and a wrong
delimiter finds no such row. What the contract declares is not searched for.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.csv_format import (
    DELIMITERS,
    CsvDialect,
    Decimal,
    is_single_byte,
)
from social_assets.ingest.files.encodings import UTF8, encoding_of, without_bom
from social_assets.ingest.records import FileError

MAX_HEADER_BYTES = 64 << 10
"""The largest CSV header: it is stored with every record of its file."""

_HEAD_BYTES = 1 << 20
"""So much of a file is read as rows to find the dialect."""
_TITLE_ROWS = 30
"""The header is one of the first rows, up to this number."""
_DECIMAL_ROWS = 2_000
_SEP = re.compile(r"^\s*\"?sep=(.{1,2}?)\"?\s*$", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,}))")
_DECIMAL_POINT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+\.\d+|\d+\.(\d{1,2}|\d{4,}))")


@dataclass(frozen=True)
class Detected:
    """What a file is: its dialect, its header line, and where the first record begins.

    `read_as` is the encoding from which the text is turned into UTF-8 while it is read: None if
    its bytes are kept. `skipped_lines` are those before the first record, the header included.
    `notes` say what differs from the default dialect.
    """

    dialect: CsvDialect
    header: str
    read_as: str | None
    skipped_lines: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    names: Sequence[str]
    delimiter: str
    quote: str
    lines: tuple[int, int]
    """The first line of the row, from 0, and the one after it."""
    matched: int


def detect(contract: Contract, path: Path, head: bytes) -> Detected:
    """The dialect of a file that begins with `head`.

    Raises FileError if no row names the columns that the contract requires; the text names the
    delimiter that was tried and the columns that are absent.
    """
    marked, encoding = without_bom(head)
    encoding = encoding or contract.csv.encoding or encoding_of(marked)
    keeps_bytes = encoding == UTF8 or is_single_byte(encoding)
    text = marked[:_HEAD_BYTES].decode(encoding, "replace")
    if "\n" not in text and "\r" in text:
        raise FileError(path, "lines end in a carriage return alone; save it with \\n", row=1)
    lines = text.split("\n")
    found = _declared(contract) if contract.csv.header else _searched(contract, path, lines)
    rows = list(_rows(lines[found.lines[1] :], found.delimiter, found.quote, _DECIMAL_ROWS))
    dialect = CsvDialect(
        delimiter=found.delimiter,
        quote=found.quote,
        encoding=encoding if keeps_bytes else UTF8,
        decimal=contract.csv.decimal or _decimal(contract, found.names, rows),
    )
    header = _header_line(contract, dialect, lines, found)
    if len(header.encode()) > MAX_HEADER_BYTES:
        limit = MAX_HEADER_BYTES >> 10
        raise FileError(
            path, f"a header of over {limit} KiB; is it a CSV file?", found.lines[0] + 1
        )
    notes = tuple(_notes(contract, dialect, encoding, found))
    return Detected(dialect, header, None if keeps_bytes else encoding, found.lines[1], notes)


def _declared(contract: Contract) -> _Header:
    names = contract.csv.header or ()
    delimiter, quote = contract.csv.delimiter or ",", contract.csv.quote or '"'
    return _Header(names, delimiter, quote, (0, 0), len(names))


def _searched(contract: Contract, path: Path, lines: Sequence[str]) -> _Header:
    """The best row under the best delimiter."""
    begin, tried = 0, list(DELIMITERS)
    if sep := _SEP.match(lines[0] if lines else ""):
        begin, tried = 1, [sep[1].replace("\\t", "\t")]
    if contract.csv.delimiter:
        tried = [contract.csv.delimiter]
    found = [header for each in tried for header in _headers(contract, lines, begin, each)]
    if not found:
        raise FileError(path, "it has no row", row=1)
    fitting = [h for h in found if h.matched and not absent_columns(contract, h.names)]
    best = max(fitting or found, key=lambda h: (h.matched, -h.lines[0], len(h.names) > 1))
    if not fitting:
        raise FileError(path, _no_header(contract, best, tried), row=best.lines[0] + 1)
    return best


def _no_header(contract: Contract, best: _Header, tried: Sequence[str]) -> str:
    absent = absent_columns(contract, best.names)
    lacks = f"lacks {', '.join(absent)}, required by" if absent else "names no column of"
    names = [CsvDialect(each).delimiter_name for each in tried]
    read_with = CsvDialect(best.delimiter).delimiter_name
    return (
        f"its header {lacks} {contract.name} (read with the delimiter {read_with}"
        f"{', the best of ' + ', '.join(names) if len(names) > 1 else ''}; `csv=CsvFormat(...)` in "
        "the contract declares another one, or a file without header)"
    )


def absent_columns(
    contract: Contract, names: Sequence[str], *, may_nest: bool = False
) -> list[str]:
    """The required columns that no name of a header spells. With `may_nest`, a column may stand
    within another one.
    """
    found = {match_key(name) for name in names}
    return [
        column.name
        for column in contract.source_columns
        if column.name in contract.required
        and not found.intersection(column.match_keys)
        and not (may_nest and found & {match_key(place.steps[0]) for place in column.places})
    ]


def _headers(
    contract: Contract, lines: Sequence[str], begin: int, delimiter: str
) -> Iterator[_Header]:
    """The first rows as headers under a delimiter, with the count of the contract's columns."""
    keys = set(contract.named_columns)
    quote = contract.csv.quote or '"'
    for first, after, names in _rows(lines[begin:], delimiter, quote, _TITLE_ROWS):
        own_quote = quote
        if contract.csv.quote is None and len(names) > 1 and all(map(_is_single_quoted, names)):
            own_quote = "'"
        matched = len(keys.intersection(map(match_key, names)))
        yield _Header(names, delimiter, own_quote, (begin + first, begin + after), matched)


def _is_single_quoted(name: str) -> bool:
    return len(name) > 1 and name[0] == name[-1] == "'"


def _rows(
    lines: Sequence[str], delimiter: str, quote: str, most: int
) -> Iterator[tuple[int, int, list[str]]]:
    """The first rows that are not blank, each with its first line and the line after it."""
    if len(delimiter) > 1:
        split = ((n, n + 1, line.rstrip("\r").split(delimiter)) for n, line in enumerate(lines))
        yield from islice((row for row in split if any(row[2])), most)
        return
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, quotechar=quote)
    first = count = 0
    while count < most:
        try:
            names = next(reader)
        except (StopIteration, csv.Error):
            return
        if any(names):
            count += 1
            yield first, reader.line_num, names
        first = reader.line_num


def _header_line(
    contract: Contract, dialect: CsvDialect, lines: Sequence[str], found: _Header
) -> str:
    if contract.csv.header:
        return dialect.delimiter.join(
            f'"{name}"' if dialect.has_quotes and dialect.delimiter in name else name
            for name in found.names
        )
    first, after = found.lines
    return "\n".join(lines[first:after]).rstrip("\r")


def _decimal(
    contract: Contract, names: Sequence[str], rows: Sequence[tuple[int, int, list[str]]]
) -> Decimal:
    """A comma if a number of the first rows can have no other meaning, and none has a point."""
    numeric = [c for c in contract.source_columns if c.type in ("number", "integer")]
    keys = {key for column in numeric for key in column.match_keys}
    places = [n for n, name in enumerate(names) if match_key(name) in keys]
    values = [row[n].strip() for _, _, row in rows for n in places if n < len(row)]
    has_comma = any(_DECIMAL_COMMA.fullmatch(each) for each in values)
    has_point = any(_DECIMAL_POINT.fullmatch(each) for each in values)
    return "," if has_comma and not has_point else "."


def _notes(contract: Contract, dialect: CsvDialect, encoding: str, found: _Header) -> Iterator[str]:
    usual = CsvDialect()
    if encoding != UTF8:
        yield f"encoding {encoding}"
    if dialect.delimiter != usual.delimiter:
        yield f"delimiter {dialect.delimiter_name}"
    if dialect.quote != usual.quote:
        yield f"quote {dialect.quote}"
    if dialect.decimal != usual.decimal:
        yield "decimal comma"
    if contract.csv.header:
        yield "no header row, by the contract"
    elif found.lines[0]:
        yield f"header in line {found.lines[0] + 1}"
