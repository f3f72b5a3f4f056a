"""Values as JSON: numbers as numbers, types that JSON lacks as text, bytes as hex.

Belongs here: the JSON value of each type. NaN and infinity, which JSON lacks, become null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal

_EXACT = (str, int, bool, type(None))


def as_json(value: object) -> str:
    """One JSON document on one line."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def plain(value: object) -> object:
    """The value, converted to JSON's types."""
    if type(value) in _EXACT:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return text(value)


def text(value: object) -> str:
    """A value as text: bytes as hex, times as ISO 8601."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _key(key: object) -> str:
    return key if isinstance(key, str) else text(key)


def _number(value: Decimal) -> int | float | str | None:
    """A decimal as a number; as text if no number of JSON's readers has all its digits."""
    if not value.is_finite():
        return None
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
