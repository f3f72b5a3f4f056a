"""Reads lists of texts: JSON, a list as Python prints it, or texts with a separator.

Belongs here: the conversion of a text to a list of texts: nulls are dropped, and a list that holds
an object or another list is none.
"""

from __future__ import annotations

import re

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

_STRING = r'"(?:[^"\\]|\\.)*"'
_NULL_IN_LIST = rf"({_STRING})|null\s*,|,\s*null"
_PYTHON_STRING = r"'(?:[^'\\]|\\.)*'|" + _STRING
_PYTHON_ITEM = rf"(?:{_PYTHON_STRING}|None)"
_PYTHON_LIST = rf"\[\s*(?:{_PYTHON_ITEM}(?:\s*,\s*{_PYTHON_ITEM})*)?\s*\]"
_BETWEEN = "\x1f"
"""The unit separator of ASCII, which no text of a list has."""
_AT_THE_ENDS = rf"^{_BETWEEN}|{_BETWEEN}$"
_NULL_ALONE = r"^\[\s*null\s*\]$"


@ibis.udf.scalar.builtin(name="json_valid", signature=((dt.string,), dt.boolean))
def _json_valid(text: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="from_json", signature=((dt.string, dt.string), dt.Array(dt.string)))
def _from_json(text: str, structure: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="regexp_replace", signature=((dt.string, dt.string, dt.string, dt.string), dt.string)
)
def _replaced(text: str, pattern: str, by: str, options: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=((dt.string, dt.string), dt.boolean))
def _is_all(text: str, pattern: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="regexp_extract_all", signature=((dt.string, dt.string), dt.Array(dt.string))
)
def _all_of(text: str, pattern: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="string_split", signature=((dt.string, dt.string), dt.Array(dt.string))
)
def _split(text: str, separator: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="array_to_string", signature=((dt.Array(dt.string), dt.string), dt.string)
)
def _joined(texts: list[str], separator: str) -> str: ...  # type: ignore[empty-body]


def list_of(text: ir.StringValue, separator: str | None = None) -> ir.ArrayValue:
    """The texts of a list, without nulls; null if it is no list of texts.

    With a separator, a text without brackets is a list of the trimmed texts between separators.
    """
    found = ibis.coalesce(_of_json(text), _of_python(text))
    if separator is None:
        return found
    between = rf"(\s*{re.escape(separator)}\s*)+"
    bare = _replaced(_replaced(text, between, _BETWEEN, "g"), _AT_THE_ENDS, "", "g")
    return ibis.cases((text.startswith("["), found), (text.notnull(), _split(bare, _BETWEEN)))


def _of_python(text: ir.StringValue) -> ir.ArrayValue:
    """A list as Python prints it: `['a', "it's", None]`."""
    quoted = _all_of(ibis.cases((_is_all(text, _PYTHON_LIST), text)), _PYTHON_STRING)
    # Ibis writes lambdas in a form that DuckDB no longer takes: all texts are changed as one.
    joined = _joined(quoted, _BETWEEN)
    for pattern in (rf"(^|{_BETWEEN})['\"]", rf"['\"]({_BETWEEN}|$)"):
        joined = _replaced(joined, pattern, r"\1", "g")
    for escaped, character in ((r"\'", "'"), (r"\"", '"'), (r"\n", "\n"), (r"\\", "\\")):
        joined = joined.replace(escaped, character)
    return ibis.cases(
        (quoted.length() == 0, ibis.literal([], dt.Array(dt.string))),
        (quoted.notnull(), _split(joined, _BETWEEN)),
    )


def _of_json(text: ir.StringValue) -> ir.ArrayValue:
    nested = text.substr(1).contains("[") | text.contains("{")
    outside = _replaced(text, _STRING, "", "g").substr(1)
    flat = ibis.cases((nested, ~(outside.contains("[") | outside.contains("{"))), else_=True)
    without_nulls = _replaced(_replaced(text, _NULL_IN_LIST, r"\1", "g"), _NULL_ALONE, "[]", "")
    texts = ibis.cases((text.contains("null"), without_nulls), else_=text)
    is_list = text.startswith("[") & _json_valid(text) & flat
    return _from_json(ibis.cases((is_list, texts)), '["VARCHAR"]')
