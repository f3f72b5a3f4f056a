r"""Which texts mean that there is no value.

Belongs here: the spellings of a missing value. JSON has `null`; CSV has no word of its own, so that
each writer has another. What a missing value becomes belongs to `standardize`.

A column of numbers, times, truth values or lists takes all of NULL_SPELLINGS for missing, since
none of them can be a value. Text can be `NA` (Namibia) or `-`: only NOT_TEXT is missing there, in
an identifier also the others of NOT_AN_ID.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import Column

NULL_SPELLINGS = r"(?i)#n/a|#n/a n/a|#na|n/a|na|<na>|-?nan|nat|null|\(null\)|none|nil|-|--|\\n"
"""A pattern, since an `IN` of many texts becomes a join that every record pays for. `\\N` is of
MySQL and PostgreSQL."""

NOT_TEXT = r"#N/A|#N/A N/A|#NA|<NA>|NaN|NaT|\\N|\(null\)"
NOT_AN_ID = NOT_TEXT + "|-|nan|null|NULL|None|N/A"

_LONGEST = 8
"""Characters of the longest of them."""

_WHOLE = r"^([0-9]+)\.0$"


@ibis.udf.scalar.builtin(name="trim", signature=((dt.string,), dt.string))
def _trim(text: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=((dt.string, dt.string), dt.boolean))
def _is_all(text: str, pattern: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="suffix", signature=((dt.string, dt.string), dt.boolean))
def _ends_with(text: str, end: str) -> bool: ...  # type: ignore[empty-body]


def of_csv(field: ir.StringValue, column: Column, *, is_only: bool = True) -> ir.StringValue:
    """The text of a CSV field, trimmed; null if it is empty or cannot be a text.

    Null spellings of columns that are not text are found later, where a text is not read; but they
    are null here unless the field is the column's only one.

    An identifier `12345.0` is `12345`: pandas writes integers so if one of their column is missing.
    """
    text = _trim(field).nullif("")
    if column.type != "string":
        if is_only:
            return text
        return ibis.cases((_is_all(text, NULL_SPELLINGS), ibis.null("string")), else_=text)
    unlike = NOT_AN_ID if column.is_id else NOT_TEXT
    short = text.length() <= _LONGEST
    branches = [(ibis.cases((short, _is_all(text, unlike)), else_=False), ibis.null("string"))]
    if column.is_id:
        branches.append((_ends_with(text, ".0"), text.re_replace(_WHOLE, r"\1")))
    return ibis.cases(*branches, else_=text)


def without_declared_nulls(text: ir.StringValue, column: Column) -> ir.StringValue:
    """The text, or null if the column's contract declares it a spelling of a missing value."""
    if not column.null_spellings:
        return text
    spellings = [spelling.strip().lower() for spelling in column.null_spellings]
    return ibis.cases((text.lower().isin(spellings), ibis.null("string")), else_=text)


def is_null_spelled(records: ir.Table, column: Column) -> ir.BooleanValue:
    """Whether the text of a column other than text means that there is no value."""
    text = records[f"in_{column.name}"]
    in_csv = records.csv_header.notnull() & _is_all(text, NULL_SPELLINGS)
    return (in_csv | (text == "NaN")).fill_null(False)
