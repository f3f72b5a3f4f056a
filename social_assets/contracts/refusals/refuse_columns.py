"""Refuses columns that cannot work: names, types, options, defaults, rules; says the remedy.

Belongs here: every reason that concerns one column. What concerns the contract as a whole, such as
its key, belongs to `refuse`.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import ibis

from social_assets.contracts.column import (
    OPTIONS,
    AgeGroup,
    Column,
    Derivation,
    HashOf,
    HourOf,
    Standardization,
    column_of,
)
from social_assets.contracts.options.time_options import is_time_zone, unknown_directive
from social_assets.contracts.pandera_private import passes, register_ibis_backends

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract

LONGEST_NAME = 100
"""Characters of a name; ClickHouse and Kafka make files of names."""

CLAUSES = ("index", "constraint", "projection")
_TYPES = "str, int, float, bool, datetime or list[str]"
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "strings": (list,),
}
TYPE_WORDS = {
    "integer": "int",
    "number": "float",
    "string": "str",
    "boolean": "bool",
    "timestamp": "datetime",
    "strings": "list[str]",
}


class RefusedError(ValueError):
    """A contract that cannot work."""

    def __init__(self, stream: object, column: str, reason: str, remedy: str) -> None:
        """Say what is wrong with which column, or with the contract if the column is ""."""
        self.stream, self.column = str(stream), column
        self.reason = f"column {column}: {reason}" if column else reason
        self.remedy = remedy
        super().__init__(f"contract {stream}: {self.reason}; {remedy}")


def readable_columns(contract: Contract) -> dict[str, Column]:
    """The contract's columns by name; each is read on its own, so that a refusal names it."""
    _refuse_types(contract)
    register_ibis_backends()
    try:
        specs = contract.model.to_schema().columns
    except Exception as error:
        raise RefusedError(
            contract.name,
            "",
            f"pandera cannot read {contract.model.__name__}: {' '.join(str(error).split())}",
            f"use columns of {_TYPES} with pa.Field(...)",
        ) from error
    if not specs:
        raise RefusedError(
            contract.name, "", f"{contract.model.__name__} has no columns", "declare its columns"
        )
    found: dict[str, Column] = {}
    for name, spec in specs.items():
        _refuse_column_name(contract.name, name, found)
        _refuse_metadata(contract.name, name, spec)
        try:
            found[name] = column_of(
                name, spec, contract.time_formats, contract.time_zone, contract.null_spellings
            )
        except (TypeError, AttributeError) as error:
            raise RefusedError(
                contract.name,
                name,
                f"the type {spec.dtype} is not supported",
                f"use {_TYPES}",
            ) from error
    return found


def _refuse_types(contract: Contract) -> None:
    """Pandera reads `list[int]` as an int, and `int | None` as a column that may be absent."""
    try:
        hints = typing.get_type_hints(contract.model)
    except Exception as error:
        raise RefusedError(
            contract.name,
            "",
            f"the types of {contract.model.__name__} cannot be read: {error}",
            f"use {_TYPES}",
        ) from error
    for name, hint in hints.items():
        if name.startswith("_") or name == "Config" or typing.get_origin(hint) is typing.ClassVar:
            continue
        origin, parts = typing.get_origin(hint), typing.get_args(hint)
        shown = hint.__name__ if isinstance(hint, type) and not parts else str(hint)
        reason = f"the type {shown.removeprefix('typing.')} is not supported"
        if origin in (typing.Union, types.UnionType):
            others = [part for part in parts if part is not type(None)]
            remedy = f"use {_TYPES}; pa.Field(nullable=True) lets values be missing"
            if len(others) == 1:
                plain = getattr(others[0], "__name__", others[0])
                remedy = f"write `{name}: {plain} = pa.Field(nullable=True)`"
            raise RefusedError(contract.name, name, reason, remedy)
        if origin in (list, set, frozenset, tuple, dict, typing.Literal) and hint != list[str]:
            remedy = f"use {_TYPES}"
            if origin is list and str in typing.get_args(parts[0]):
                remedy = "use list[str]; nulls within a list are dropped"
            raise RefusedError(contract.name, name, reason, remedy)


def _refuse_column_name(stream: str, name: object, before: Mapping[str, Column]) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise RefusedError(
            stream,
            str(name),
            "this cannot be a column's name",
            "use ASCII letters, digits and underscores, a letter first; the option `source` holds "
            "the source's spelling",
        )
    if name.lower() in CLAUSES:
        raise RefusedError(
            stream,
            name,
            "ClickHouse reads this name as a clause of CREATE TABLE",
            "give the column another name; the option `source` holds the source's spelling",
        )
    if len(name) > LONGEST_NAME:
        raise RefusedError(
            stream, name, f"a name of {len(name)} characters", f"use up to {LONGEST_NAME}"
        )
    same = next((other for other in before if other.casefold() == name.casefold()), None)
    if same:
        raise RefusedError(
            stream, name, f"the name differs from {same} by case alone", "rename one of them"
        )


def _refuse_metadata(stream: str, name: str, spec: Any) -> None:
    options = spec.metadata or {}
    if not isinstance(options, Mapping):
        raise RefusedError(stream, name, "metadata is no dict", 'write metadata={"option": value}')
    for option, value in options.items():
        if option not in OPTIONS:
            near = difflib.get_close_matches(str(option), OPTIONS, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise RefusedError(
                stream,
                name,
                f"there is no option {option!r} in metadata",
                f"{meant}The options are {', '.join(sorted(OPTIONS))}",
            )
        wanted = OPTIONS[option]
        if not isinstance(value, wanted) or (isinstance(value, str) and wanted is tuple):
            names = [each.__name__ for each in (wanted if isinstance(wanted, tuple) else (wanted,))]
            raise RefusedError(
                stream,
                name,
                f"the option {option} is {value!r}",
                f"it must be of the type {' or '.join(names)}",
            )
    if spec.unique or spec.regex:
        asked = "unique" if spec.unique else "regex"
        raise RefusedError(
            stream,
            name,
            f"pa.Field({asked}=True) has no effect here",
            "remove it" + ("; the contract's `key` keeps rows unique" if spec.unique else ""),
        )


def refuse_column(contract: Contract, column: Column) -> None:
    """Refuse a default, standardization, derivation or rule that does not fit the type."""

    def refuse(reason: str, remedy: str) -> typing.NoReturn:
        raise RefusedError(contract.name, column.name, reason, remedy)

    word = TYPE_WORDS[column.type]
    default = column.default
    if default is not None:
        fits = isinstance(default, _SCALARS[column.type])
        if isinstance(default, bool) and column.type != "boolean":
            fits = False
        if not fits:
            refuse(
                f"the default {default!r} is no {word}",
                f"give a default of the type {word}, or nullable=True and no default",
            )
        if column.type == "integer" and not -(2**63) <= typing.cast(int, default) < 2**63:
            refuse(f"the default {default!r} has over 64 bits", "use a smaller one, or str")
    if isinstance(column.standardize, typing.get_args(Standardization)) and column.type != "string":
        refuse(f"standardize works on texts, and the type is {word}", "declare it as str")
    if column.derive is not None:
        _refuse_derivation(contract, column, refuse)
    _refuse_times(column, refuse)
    if column.missing_if_equal_to is not None:
        _refuse_equal(contract, column, refuse)
    if column.numerals and column.type not in ("integer", "number"):
        refuse("only a column of int or float can have numerals", "remove them, or change the type")
    table = ibis.table({column.name: _IBIS[column.type]}, name="records")
    for check in column.checks:
        try:
            is_boolean = passes(table, column.name, check).type().is_boolean()
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise RefusedError(
                contract.name,
                column.name,
                f"the rule {check.error or check.name} cannot be applied to {word}: {text}",
                "correct the rule, or the type",
            ) from error
        if not is_boolean:
            refuse(f"the rule {check.name} gives no bool", "return a boolean column of ibis")


def _refuse_equal(
    contract: Contract, column: Column, refuse: Callable[[str, str], typing.NoReturn]
) -> None:
    if column.name in contract.required:
        refuse(
            "missing_if_equal_to would reject records: a value of this column must not be missing",
            "remove the option",
        )
    other = contract.columns.get(str(column.missing_if_equal_to))
    if other is None or other.name == column.name or other.derive or other.type != column.type:
        word = TYPE_WORDS[column.type]
        refuse(
            f"missing_if_equal_to is {column.missing_if_equal_to!r}",
            f"name another column of the type {word} that is read from the record",
        )


def _refuse_times(column: Column, refuse: Callable[[str, str], typing.NoReturn]) -> None:
    if column.time_zone is not None and not is_time_zone(column.time_zone):
        refuse(
            f"{column.time_zone!r} is no time zone",
            "write a name of the IANA database, as Europe/Berlin",
        )
    for time_format in column.time_formats:
        if wrong := unknown_directive(time_format):
            refuse(
                f"time format {time_format!r}: {wrong}",
                "write a format of strptime, as %d/%m/%Y %H:%M",
            )
    if column.time_source and column.type != "timestamp":
        refuse("only a column of datetime can have a time_source", "declare it as datetime")


_IBIS = {
    "integer": "int64",
    "number": "float64",
    "string": "string",
    "boolean": "boolean",
    "timestamp": "timestamp('UTC')",
    "strings": "array<string>",
}


def _refuse_derivation(
    contract: Contract, column: Column, refuse: Callable[[str, str], typing.NoReturn]
) -> None:
    derive: Derivation = typing.cast(Derivation, column.derive)
    wanted = "integer" if isinstance(derive, HourOf) else "string"
    if column.type != wanted:
        refuse(
            f"{type(derive).__name__} makes {TYPE_WORDS[wanted]}, and the type is "
            f"{TYPE_WORDS[column.type]}",
            f"declare it as {TYPE_WORDS[wanted]}",
        )
    sources: tuple[str, ...] = ()
    if isinstance(derive, AgeGroup):
        sources = (derive.age,)
    elif isinstance(derive, HourOf):
        sources = (derive.time_of_day,)
    elif isinstance(derive, HashOf):
        sources = derive.columns
        if isinstance(sources, str) or not sources:
            refuse(f"HashOf has {sources!r}", 'write HashOf(("column", "other"))')
    declared = contract.model.to_schema().columns
    for source in sources:
        if source not in declared or source == column.name:
            refuse(
                f"it is derived from {source}, not among the other columns of "
                f"{contract.model.__name__}",
                "correct the name",
            )
