"""Combines one value of each column to one: conditions to one condition, numbers to a sum.

Belongs here: how an expression of hundreds of parts is built. Ibis nests them as deep as there are
parts, and reads an expression recursively: at some 300 parts Python's limit is reached, and a
contract may have more columns. Parts are combined in groups, and then the groups. What is combined
belongs to the callers.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import TypeVar

import ibis
import ibis.expr.types as ir

_T = TypeVar("_T")
_GROUP = 50


def any_of(conditions: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    """Whether one of the conditions holds; false if there are none."""
    return _combined(operator.or_, list(conditions), ibis.literal(False))


def sum_of(numbers: Iterable[ir.IntegerValue]) -> ir.IntegerValue:
    """The sum of the numbers; 0 if there are none."""
    return _combined(operator.add, list(numbers), ibis.literal(0))


def _combined(of: Callable[[_T, _T], _T], parts: list[_T], empty: _T) -> _T:
    if not parts:
        return empty
    while len(parts) > 1:
        groups = [parts[first : first + _GROUP] for first in range(0, len(parts), _GROUP)]
        parts = [functools.reduce(of, group) for group in groups]
    return parts[0]
