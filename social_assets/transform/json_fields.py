"""Reads the fields of JSON objects as texts, exactly.

Belongs here: what JSON says about a field beside its text: whether it is a number, an object or a
list, and every digit. DuckDB's extraction gives the text of a field only, and prints a decimal as
the nearest double. It serves for nearly all records; those in which a field could be misread that
way (`odd`) are read a second time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import Column
from social_assets.transform.values.combined import any_of

_EXACT_DIGITS = 15
"""So many digits of a decimal survive as a double."""

_DECIMAL = dt.Decimal(38, 10)
_WHOLE = r"^(-?\d+)\.0+$"
_NESTED = ("OBJECT", "ARRAY")
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


@ibis.udf.scalar.builtin(
    name="json_extract_string",
    signature=((dt.string, dt.Array(dt.string)), dt.Array(dt.string)),
)
def _json_extract_string(text: str, paths: list[str]) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="json_type", signature=((dt.string, dt.Array(dt.string)), dt.Array(dt.string))
)
def _json_type(text: str, paths: list[str]) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="rtrim", signature=((dt.string, dt.string), dt.string))
def _without_end(text: str, characters: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="trim", signature=((dt.string,), dt.string))
def _trim(text: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="strlen", signature=((dt.string,), dt.int64))
def _bytes_of(text: str) -> int: ...  # type: ignore[empty-body]


@cache
def _from_json(pointer: str) -> Callable[..., ir.StructValue]:
    """The function that reads one place as a decimal; made once, so that a query is too."""
    signature = ((dt.string, dt.string), _nest(pointer, _DECIMAL, dt.Array, dt.Struct))

    @ibis.udf.scalar.builtin(name="from_json", signature=signature)
    def read(text: str, structure: str) -> dict[str, Decimal]: ...  # type: ignore[empty-body]

    return cast("Callable[..., ir.StructValue]", read)


def _nest(
    pointer: str, inner: Any, of_list: Callable[[Any], Any], of_object: Callable[[Any], Any]
) -> Any:
    """Wrap something in what the steps of a pointer go through: objects, or lists by number."""
    for step in reversed(_steps(pointer)):
        inner = of_list(inner) if step.isdigit() else of_object({step: inner})
    return inner


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


@dataclass(frozen=True)
class JsonField:
    """One place of a JSON object that a column may have its value from, by a JSON pointer."""

    number: int
    pointer: str
    column: Column

    @property
    def steps(self) -> list[str]:
        """The keys and numbers that lead to it."""
        return _steps(self.pointer)

    @property
    def name(self) -> str:
        """The column with its text, trimmed unless it is stored verbatim."""
        return f"field{self.number}"

    @property
    def nested_name(self) -> str:
        """The column with its JSON if it is an object or a list; only for a column of text."""
        return f"nested{self.number}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table that are of this field."""
        return (self.name, self.nested_name) if self.column.is_string else (self.name,)

    def is_odd(self, table: ir.Table) -> ir.BooleanValue:
        """Whether it may be an object, a list, NaN or a decimal that its text does not show.

        Comparisons of texts cost next to nothing, so that ordinary records are passed over.
        """
        text = table[self.name]
        if self.column.type == "integer":
            return ibis.cases((text.length() > _EXACT_DIGITS, text.contains(".")), else_=False)
        if not self.column.is_string:
            return ibis.literal(False)
        nested = ((text >= "[") & (text < "\\")) | ((text >= "{") & (text < "|"))
        number = (text >= "-") & (text < ":")
        return ibis.cases(
            (nested, True),
            (number, text.contains(".") | (text == "-Infinity")),
            else_=(text == "NaN") | (text == "Infinity"),
        ).fill_null(False)

    def text(self, table: ir.Table) -> ir.StringValue:
        """Its text, trimmed, null if empty; in an odd record, of a number every digit."""
        text = table[self.name]
        if self.column.type not in ("integer", "string"):
            return text
        kind = table.json_types[self.number]
        number = (kind == "DOUBLE", self._digits(table))
        infinite = ((kind == "DOUBLE") & text.isin(_NOT_FINITE), ibis.null("string"))
        if self.column.is_string:
            odd = ibis.cases(
                (kind.isin(_NESTED), ibis.null("string")), infinite, number, else_=text
            )
        else:
            odd = ibis.cases(number, else_=text)
        return ibis.cases((table.odd_text.notnull(), odd), else_=text)

    def nested(self, table: ir.Table) -> ir.StringValue:
        """Its JSON if it is an object or a list, else null."""
        nested = table.json_types[self.number].isin(_NESTED)
        return ibis.cases((table.odd_text.notnull(), ibis.cases((nested, table[self.name]))))

    def _digits(self, table: ir.Table) -> ir.StringValue:
        """The digits of a decimal number, without a decimal part of zeros."""
        text = table[self.name]
        long = ibis.cases((text.length() > _EXACT_DIGITS, table.odd_text))
        structure = json.dumps(_nest(self.pointer, "DECIMAL(38,10)", lambda of: [of], dict))
        read: Any = _from_json(self.pointer)(long, structure)
        for step in _steps(self.pointer):
            read = read[int(step) if step.isdigit() else step]
        exact = read.cast("string")
        return ibis.coalesce(
            _without_end(_without_end(exact, "0"), "."), text.re_replace(_WHOLE, r"\1")
        )


JsonFields = Mapping[tuple[str, str], JsonField]
"""Fields by the name of their column and their JSON pointer."""


def json_fields(places: Iterable[tuple[Column, str]]) -> dict[tuple[str, str], JsonField]:
    """A field for each column and JSON pointer."""
    columns = {(column.name, pointer): column for column, pointer in places}
    return {
        place: JsonField(number, place[1], column)
        for number, (place, column) in enumerate(columns.items())
    }


def with_json_fields(records: ir.Table, fields: Sequence[JsonField]) -> ir.Table:
    """Opened records with the columns of the fields, and `odd_text`: the JSON text of a record in
    which a field could be misread, else null.
    """
    pointers = ibis.array([ibis.literal(field.pointer) for field in fields])
    table = records.mutate(json_texts=_json_extract_string(records.json_text, pointers))
    table = table.mutate(**{field.name: table.json_texts[field.number] for field in fields})
    # A column of its own: `NULLIF` would trim twice.
    table = table.mutate(
        **{field.name: _trimmed(table[field.name]) for field in fields if not field.column.verbatim}
    )
    odd = any_of(field.is_odd(table) for field in fields)
    table = table.mutate(odd_text=ibis.cases((odd, table.json_text)))
    table = table.mutate(json_types=_json_type(table.odd_text, pointers))
    return table.mutate(
        **{field.name: field.text(table) for field in fields},
        **{field.nested_name: field.nested(table) for field in fields if field.column.is_string},
    ).drop("json_texts", "json_types")


def _trimmed(text: ir.StringValue) -> ir.StringValue:
    """A text without blanks around it.

    Trimming looks at each character and costs as much as half of parsing the record. The first byte
    tells of nearly all texts that they begin with no blank; one of ASCII alone ends with no other
    blank than a space.
    """
    may_be_padded = (text < "!") | text.endswith(" ") | (text.length() != _bytes_of(text))
    return ibis.cases((may_be_padded, _trim(text)), else_=text)
