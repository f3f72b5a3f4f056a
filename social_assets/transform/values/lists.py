"""Reads lists of texts from JSON.

Belongs here: the conversion of a JSON list to a list of texts: nulls are dropped, and a list that
holds an object or another list is none.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

_STRING = r'"(?:[^"\\]|\\.)*"'
_NULL_IN_LIST = rf"({_STRING})|null\s*,|,\s*null"
_NULL_ALONE = r"^\[\s*null\s*\]$"


@ibis.udf.scalar.builtin(name="json_valid", signature=((dt.string,), dt.boolean))
def _json_valid(text: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="from_json", signature=((dt.string, dt.string), dt.Array(dt.string)))
def _from_json(text: str, structure: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="regexp_replace", signature=((dt.string, dt.string, dt.string, dt.string), dt.string)
)
def _replaced(text: str, pattern: str, by: str, options: str) -> str: ...  # type: ignore[empty-body]


def list_of(text: ir.StringValue) -> ir.ArrayValue:
    """The texts of a JSON list, without nulls; null if it is no list of texts."""
    nested = text.substr(1).contains("[") | text.contains("{")
    outside = _replaced(text, _STRING, "", "g").substr(1)
    flat = ibis.cases((nested, ~(outside.contains("[") | outside.contains("{"))), else_=True)
    without_nulls = _replaced(_replaced(text, _NULL_IN_LIST, r"\1", "g"), _NULL_ALONE, "[]", "")
    texts = ibis.cases((text.contains("null"), without_nulls), else_=text)
    is_list = text.startswith("[") & _json_valid(text) & flat
    return _from_json(ibis.cases((is_list, texts)), '["VARCHAR"]')
