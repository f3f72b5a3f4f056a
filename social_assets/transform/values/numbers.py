"""Reads numbers as people and exports write them, where the contract declares it.

Belongs here: thousands separators, percent and suffixes. Without a declaration a number is what
DuckDB's cast reads, and `1,234` is rejected: it can be 1.234.
"""

from __future__ import annotations

import re

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import Column, Numerals

_BLANKS = "[ \u00a0\u2009\u202f]"
_FACTORS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_SCALED = dt.Decimal(28, 6)
"""With ten digits of a factor, a product fits in 38."""


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=((dt.string, dt.string), dt.boolean))
def _is_all(text: str, pattern: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="regexp_replace", signature=((dt.string, dt.string, dt.string, dt.string), dt.string)
)
def _replaced(text: str, pattern: str, by: str, options: str) -> str: ...  # type: ignore[empty-body]


def plain_number(text: ir.StringValue, column: Column) -> ir.StringValue:
    """The text of a number without what the column's `numerals` allow in it; other texts stay."""
    numerals = column.numerals
    if numerals is None:
        return text
    separator = _separator(numerals)
    digits = _replaced(text, f"[^0-9.+-]|{separator}", "", "g")
    scaled = digits.try_cast(_SCALED)
    branches = [(_is_all(text, _pattern(numerals, "")), digits)]
    if numerals.percent:
        share = scaled * ibis.literal("0.01").cast(dt.Decimal(3, 2))
        branches.append((_is_all(text, _pattern(numerals, "%")), share.cast("string")))
    if numerals.suffixes:
        branches += [
            (
                _is_all(text, _pattern(numerals, f"(?i:{letter})")),
                (scaled * ibis.literal(factor).cast(dt.Decimal(10, 0))).cast("string"),
            )
            for letter, factor in _FACTORS.items()
        ]
    return ibis.cases(*branches, else_=text)


def _separator(numerals: Numerals) -> str:
    return _BLANKS if numerals.thousands == " " else re.escape(numerals.thousands) or "[^\\s\\S]"


def _pattern(numerals: Numerals, end: str) -> str:
    """A number, with groups of two (as in India) or three digits, the last of three."""
    separator = _separator(numerals)
    grouped = rf"[0-9]{{1,3}}(?:{separator}[0-9]{{2,3}})*{separator}[0-9]{{3}}"
    return rf"[+-]?(?:[0-9]+|{grouped})(?:\.[0-9]+)?{_BLANKS}?{end}"
