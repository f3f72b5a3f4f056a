"""Cuts CSV records into fields: each under the dialect and the header of its file.

Belongs here: what depends on a CSV file's dialect: delimiter, quotes, decimal mark. Opening records
and finding columns in JSON belong to `decode`. The functions with names in capitals are DuckDB's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import Column, match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.csv_format import CsvDialect, dialect_and_header
from social_assets.transform.values.missing import of_csv

_TOTAL = r"(?i)\W*((grand |sub)?totals?|total (general|général)|gesamt(summe|ergebnis)?|suma)\W*"
_LONGEST_TOTAL = 20
_WITH_COMMA = r"^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?$"
"""A number under a decimal comma; points group its thousands."""


@ibis.udf.scalar.builtin(
    name="regexp_extract_all",
    signature=((dt.string, dt.string, dt.int64), dt.Array(dt.string)),
)
def _regexp_extract_all(text: str, pattern: str, group: int) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=((dt.string, dt.string), dt.boolean))
def _regexp_full_match(text: str, pattern: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="string_split", signature=((dt.string, dt.string), dt.Array(dt.string))
)
def _string_split(text: str, separator: str) -> list[str]: ...  # type: ignore[empty-body]


class Position(NamedTuple):
    """A field of a record, from 0, that holds a column's value; of one platform, or of any."""

    field: int
    platform: str | None = None


OfPlatform = Callable[[ir.StringValue, str | None], ir.StringValue]
"""Makes a text that counts for the records of one platform alone."""


@dataclass(frozen=True)
class CsvHeader:
    """The header of a file: its number of fields, the position of each column, its dialect.

    A column may have several places, best first. `numbers` are the columns of numbers, whose
    decimal mark is that of the dialect.
    """

    width: int
    positions: Mapping[str, tuple[Position, ...]]
    dialect: CsvDialect
    numbers: frozenset[str]


def csv_header(contract: Contract, stored: str) -> CsvHeader:
    """Parse a `csv_header` of raw. Of two spellings of one place, the first with a value counts."""
    dialect, line = dialect_and_header(stored)
    names = dialect.fields(line)
    fields: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        fields.setdefault(match_key(name), []).append(index)
    positions = {
        column.name: tuple(
            Position(index, place.platform)
            for place in column.places
            for index in fields.get(place.match_key, ())
        )
        for column in contract.read_columns
        if not fields.keys().isdisjoint(column.match_keys)
    }
    numbers = frozenset(c.name for c in contract.source_columns if c.type in ("integer", "number"))
    return CsvHeader(len(names), positions, dialect, numbers)


def with_csv_fields(table: ir.Table, headers: Mapping[str, CsvHeader]) -> ir.Table:
    """Opened records with `csv_fields`, null for JSON; with `field_count_ok`, whether a CSV record
    has as many fields as its header; `quotes_closed`, whether each of its fields that opens a quote
    closes it; and `is_total`, whether it is a row of totals, as reports have: its first field says
    so, and another one is empty.
    """
    if not headers:
        return table.mutate(
            csv_fields=ibis.null(dt.Array(dt.string)),
            field_count_ok=ibis.literal(True),
            quotes_closed=ibis.literal(True),
            is_total=ibis.literal(False),
        )
    text = ibis.cases((table.csv_header.notnull(), table.record_text))
    table = table.mutate(
        csv_fields=_by_dialect(table, headers, lambda dialect: _fields(text, dialect)),
        quotes_closed=_by_dialect(table, headers, lambda dialect: _quotes_closed(text, dialect)),
    )
    first = table.csv_fields[0]
    says_total = ibis.cases(
        (first.length() <= _LONGEST_TOTAL, _regexp_full_match(first, _TOTAL)), else_=False
    )
    has_empty = table.csv_fields.contains("") | table.csv_fields.contains('""')
    widths = [
        (table.csv_header == stored, table.csv_fields.length() == header.width)
        for stored, header in headers.items()
    ]
    return table.mutate(
        field_count_ok=ibis.cases(*widths, else_=True),
        quotes_closed=table.quotes_closed.fill_null(True),
        is_total=ibis.cases((says_total, has_empty), else_=False),
    )


def csv_text(
    table: ir.Table, headers: Mapping[str, CsvHeader], column: Column, of_platform: OfPlatform
) -> ir.StringValue | None:
    """The text of a column in CSV records; None if no header has the column."""
    branches = [
        (
            table.csv_header == stored,
            ibis.coalesce(
                *(
                    of_platform(_value(table.csv_fields[each.field], header, column), each.platform)
                    for each in header.positions[column.name]
                )
            ),
        )
        for stored, header in headers.items()
        if column.name in header.positions
    ]
    return ibis.cases(*branches) if branches else None


def _value(text: ir.StringValue, header: CsvHeader, column: Column) -> ir.StringValue:
    if header.dialect.has_quotes:
        text = _unquoted(text, header.dialect.quote)
    if header.dialect.decimal == "," and column.name in header.numbers:
        pointed = text.strip().replace(".", "").replace(",", ".")
        text = ibis.cases((text.strip().re_search(_WITH_COMMA), pointed), else_=text)
    return of_csv(text, column, is_only=len(header.positions[column.name]) == 1)


def _by_dialect(
    table: ir.Table, headers: Mapping[str, CsvHeader], of: Callable[[CsvDialect], ir.Value]
) -> ir.Value:
    """An expression for each record by its file's dialect; one for all if they have the same."""
    dialects = dict.fromkeys(
        CsvDialect(header.dialect.delimiter, header.dialect.quote) for header in headers.values()
    )
    if len(dialects) == 1:
        return of(next(iter(dialects)))
    return ibis.cases(
        *((table.csv_header.isin(_of_dialect(headers, each)), of(each)) for each in dialects)
    )


def _of_dialect(headers: Mapping[str, CsvHeader], dialect: CsvDialect) -> Iterable[str]:
    marks = dialect.delimiter, dialect.quote
    return [
        stored
        for stored, header in headers.items()
        if (header.dialect.delimiter, header.dialect.quote) == marks
    ]


def _fields(text: ir.StringValue, dialect: CsvDialect) -> ir.ArrayValue:
    if not dialect.has_quotes:
        return _string_split(text, dialect.delimiter)
    end, other, quoted = _patterns(dialect)
    pattern = f"({quoted}|{other}*){end}"
    return _regexp_extract_all(text.concat(dialect.delimiter), pattern, 1)


def _quotes_closed(text: ir.StringValue, dialect: CsvDialect) -> ir.BooleanValue:
    """Each field either does not begin with a quote or ends with the quote that closes it."""
    if not dialect.has_quotes:
        return ibis.literal(True)
    end, other, quoted = _patterns(dialect)
    unquoted = f"[^{_escaped(dialect.quote)}{_escaped(dialect.delimiter)}]{other}*"
    closed = f"(?:(?:{quoted}|{unquoted}|){end})*"
    line = text.concat(dialect.delimiter)
    return ibis.cases((text.contains(dialect.quote), _regexp_full_match(line, closed)), else_=True)


def _patterns(dialect: CsvDialect) -> tuple[str, str, str]:
    """Regular expressions: of the delimiter, of another character, of a quoted field."""
    quote, end = _escaped(dialect.quote), _escaped(dialect.delimiter)
    blanks = "[ ]*" if dialect.delimiter == "\t" else r"[ \t]*"
    return end, f"[^{end}]", f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}{blanks}"


def _escaped(character: str) -> str:
    return re.escape(character)


def _unquoted(text: ir.StringValue, quote: str) -> ir.StringValue:
    ended = text.rstrip()
    quoted = ended.startswith(quote) & ended.endswith(quote) & (ended.length() > 1)
    inner = ended.substr(1, ended.length() - 2).replace(2 * quote, quote)
    return ibis.cases((quoted, inner), else_=text)
