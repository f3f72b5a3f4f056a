"""Finds out whether a JSON file holds a record a line or is a document, and where its records are.

Belongs here: what is decided once for a file, from its begin. The contract tells which names a
record has, so an array of objects with the required columns is the one that holds the records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.explode import Level
from social_assets.ingest.files.json_documents import Layout

_HEAD_BYTES = 4 << 20
_LINES = 100
_MOST_TRIED = 1_000
_DECODER = json.JSONDecoder()
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)', re.DOTALL)


def layout_of(contract: Contract, head: bytes) -> Layout | None:
    """Where the records of a document stand; None if each line of the file is a record."""
    if contract.records_at is not None:
        return Layout.of(contract.records_at)
    text = head[:_HEAD_BYTES].decode("utf-8", "replace").lstrip("\ufeff")
    lines = [line.strip() for line in text.split("\n", _LINES + 1)[:_LINES] if line.strip()]
    found = _arrays_of_records(contract, text)
    if _are_records(lines):
        if any(_fits(contract, json_value(line)) for line in lines):
            return None
        wrapped = next(found, None)
        return Layout(wrapped) if wrapped else None
    return _document(contract, text.lstrip(), lines, next(found, None))


def _document(
    contract: Contract, text: str, lines: Sequence[str], path: tuple[Level, ...] | None
) -> Layout | None:
    """The layout of a text that is not a record a line."""
    whole = json_value(text)
    if _fits(contract, whole):
        return Layout(())
    if path is not None:
        return Layout(path)
    # Values that are not the contract's are cut all the same, and the contract rejects them.
    if text.startswith("[") and (isinstance(whole, list) or json_value(lines[0]) is None):
        return Layout((None,))
    # A record with an array to be exploded may be longer than what is looked at.
    is_long = contract.explode is not None and text.startswith("{") and whole is None
    return Layout(()) if isinstance(whole, dict) or is_long else None


def _are_records(lines: Sequence[str]) -> bool:
    """Whether the first line is an object; or most lines, as in NDJSON that begins with a broken
    one.
    """
    if not lines or not lines[0].startswith("{"):
        return False
    if lines[0].endswith("}") and json_value(lines[0]) is not None:
        return True
    return sum(line.startswith("{") and line.endswith("}") for line in lines) * 2 > len(lines)


def json_value(text: str, place: int = 0) -> object | None:
    """The JSON value at a place of a text, None if there is none."""
    try:
        value: object = _DECODER.raw_decode(text, place)[0]
    except (ValueError, RecursionError):
        return None
    return value


def _fits(contract: Contract, value: object) -> bool:
    """Whether a value is an object with the required columns; any column if none is required."""
    if not isinstance(value, dict):
        return False
    required = [c for c in contract.source_columns if c.name in contract.required]
    if required:
        return all(any(p.value_in(value) is not None for p in column.places) for column in required)
    return not contract.named_columns.keys().isdisjoint(map(match_key, value))


def _arrays_of_records(contract: Contract, text: str) -> Iterator[tuple[Level, ...]]:
    """The paths of the arrays of which an object is a record."""
    stack: list[Level] = []
    key, place, tried = "", 0, 0
    while tried < _MOST_TRIED and (token := _TOKEN.match(text, place)):
        place, mark = token.end(), token[1]
        if mark == "{":
            if stack and stack[-1] is None:
                tried += 1
                if _fits(contract, json_value(text, token.start(1))):
                    yield tuple(stack)
            stack.append("")
        elif mark == "[":
            stack.append(None)
        elif mark in ("}", "]"):
            stack = stack[:-1]
        elif mark == ":" and stack and stack[-1] is not None:
            stack[-1] = key
        elif mark.startswith('"'):
            key = mark[1:-1]
