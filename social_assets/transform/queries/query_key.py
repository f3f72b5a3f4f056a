"""The key of a compiled query: a text that says all that decides the query.

Belongs here: the whole expression as text, the versions of what compiles it, the options, and the
source of this folder. So whatever changes a query, be it a contract's rule, a function that the
rule calls, a spelling, or the engine's source, changes the key. What cannot be told by a text has
no key.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb
import ibis
import ibis.expr.operations as ops
from ibis.common.grounds import Concrete
from ibis.expr.operations.udf import InputType

_PLAIN = frozenset(
    (bool, int, float, str, bytes, date, datetime, time, timedelta, Decimal, type(None))
)


class _NotTextError(Exception):
    """The expression has a part whose text would not say all that decides the query."""


def query_key(operation: ops.Node) -> str | None:
    """A text that two expressions share only if they have the same query.

    None if the expression has parts that cannot be compared by text, such as rows in memory.
    """
    numbers: dict[int, int] = {}
    waiting = [operation]
    try:
        digest = hashlib.sha256(_compilers().encode())
        while waiting:
            node = waiting[-1]
            lacking = [each for each in node.__children__ if id(each) not in numbers]
            if lacking:
                waiting += lacking
                continue
            waiting.pop()
            if id(node) not in numbers:
                numbers[id(node)] = len(numbers)
                digest.update(f"{_text_of_node(node, numbers)}\n".encode())
    except (_NotTextError, OSError):
        return None
    return digest.hexdigest()


def _compilers() -> str:
    """What makes a query of an expression: versions, options, and the source of this folder."""
    options = (ibis.options.sql.fuse_selects, ibis.options.sql.default_limit)
    versions = (ibis.__version__, duckdb.__version__, sys.version)
    sqlglot = (_installed("sqlglot"), _installed("sqlglotc"))
    return repr((versions, sqlglot, options, _own_source()))


@cache
def _installed(package: str) -> str | None:
    """A package's version. `sqlglotc` has compiled modules in the place of sqlglot's own."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def _own_source() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()


def _text_of_node(node: ops.Node, numbers: Mapping[int, int]) -> str:
    if isinstance(node, ops.ScalarUDF | ops.AggUDF):
        if node.__input_type__ is not InputType.BUILTIN:
            raise _NotTextError
        parts = (node.__func_name__, node.__udf_namespace__, node.__config__, node.dtype)
        kind = f"function {_text(parts, numbers)}"
    else:
        kind = _kind(node)
    return f"{kind}{_text(node.__args__, numbers)}"


def _text(value: object, numbers: Mapping[int, int]) -> str:
    """A value as text, with its type; nodes of the expression by their numbers."""
    if isinstance(value, ops.Node):
        text = f"#{numbers[id(value)]}"
    elif type(value) in _PLAIN:
        text = f"{type(value).__name__} {value!r}"
    elif isinstance(value, Enum):
        text = f"{_kind(value)}.{value.name}"
    elif isinstance(value, tuple | list):
        text = f"({','.join(_text(each, numbers) for each in value)})"
    elif isinstance(value, frozenset):
        text = f"set({','.join(sorted(_text(each, numbers) for each in value))})"
    elif isinstance(value, Concrete):
        text = f"{_kind(value)}{_text(value.__args__, numbers)}"
    elif isinstance(value, Mapping):
        text = f"map{_text([*value.items()], numbers)}"
    else:
        raise _NotTextError
    return text


def _kind(value: object) -> str:
    """The type of a part of Ibis. How others are compiled is not decided by Ibis' version."""
    kind = type(value)
    if not kind.__module__.startswith("ibis."):
        raise _NotTextError
    return f"{kind.__module__}.{kind.__qualname__}"
