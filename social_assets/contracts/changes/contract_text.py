"""A contract as text, and back: what determines the rows of a stream.

Belongs here: the text that the lake records when a contract is deployed. The stream continues under
the recorded contract until the next deployment, so the text must hold all that decides which
records are accepted and which values they get. What only describes or watches a stream (owner,
topic, limits of checks) is not in it: a change of these takes effect at once.

Options that have their default are left out, so that an option that a later release adds does not
change the text of a contract that does not use it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any

from social_assets.contracts import column as column_module
from social_assets.contracts import contract as contract_module
from social_assets.contracts.column import Column
from social_assets.contracts.contract import Contract
from social_assets.contracts.pandera_private import Check, register_ibis_backends

_FORMAT = 1
"""The version of the text's format."""

_NOT_OF_ROWS = frozenset(
    {
        *("name", "model", "owner", "topic", "formats", "unread", "absent", "persons"),
        # How files are cut into records, which raw holds as they were cut.
        *("csv", "records_at"),
        # Each column has them.
        *("time_formats", "time_zone", "null_spellings", "sources"),
        *("warn_above", "fail_above", "lag_warn_above", "lag_fail_above"),
        *("freshness", "drift", "retention", "media"),
        # What makes rows of it are columns, key and event time.
        "capture",
    }
)
"""Options of a contract that decide nothing about a row. Others, also those to come, do."""

_NOT_OF_VALUES = frozenset({"description"})
"""Options of a column that decide nothing about its values."""

_KIND = "is"


class UnreadableContractError(ValueError):
    """A recorded contract has a format that this release does not know."""


@dataclass(frozen=True, eq=False)
class RecordedContract(Contract):
    """A contract that was read from its text. `model` is that of the declared contract, and the
    columns are those of the text. Two of them are equal only if they are one object. `missing` are
    rules and options of the text that this installation can't apply, in words.
    """

    recorded: tuple[Column, ...] = ()
    missing: tuple[str, ...] = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every recorded column by name, derived ones included."""
        return {column.name: column for column in self.recorded}


@cache
def text_of(contract: Contract) -> str:
    """The text of a contract. Equal texts mean equal rows."""
    options = {
        f.name: _encoded(getattr(contract, f.name))
        for f in fields(Contract)
        if f.name not in _NOT_OF_ROWS and not _is_default(f, getattr(contract, f.name))
    }
    columns = [_column_text(column) for column in contract.columns.values()]
    text = {"format": _FORMAT, "contract": options, "columns": columns}
    return json.dumps(text, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@cache
def contract_of(text: str, declared: Contract) -> Contract:
    """The contract of a text; `declared` is that of the stream today.

    Takes from `declared` what a text does not have: descriptions, owner, rules that are functions.
    Rules that are functions and have changed can't be had again: `missing_rules` names them. Raises
    UnreadableContractError.
    """
    if text == text_of(declared):
        return declared
    parsed = json.loads(text)
    if parsed["format"] != _FORMAT:
        raise UnreadableContractError(
            f"{declared.name}: the recorded contract has format {parsed['format']}, and this "
            f"release reads format {_FORMAT}; use the release that deployed it, or a later one"
        )
    decode = _Decoder(declared)
    columns = tuple(decode.column(each) for each in parsed["columns"])
    options = decode.options(parsed["contract"], Contract)
    shared = {f.name: getattr(declared, f.name) for f in fields(Contract) if f.name in _NOT_OF_ROWS}
    names = {column.name for column in columns}
    for option in ("absent", "persons"):
        shared[option] = tuple(name for name in getattr(declared, option) if name in names)
    return RecordedContract(**shared, **options, recorded=columns, missing=tuple(decode.missing))


def missing_rules(contract: Contract) -> str:
    """The rules of a recorded contract that this installation can't apply, in words; "" if none."""
    return ", ".join(contract.missing) if isinstance(contract, RecordedContract) else ""


def is_of_rows(option: str) -> bool:
    """Whether an option of a contract decides which rows a record makes."""
    return option not in _NOT_OF_ROWS


def encoded_option(value: object) -> str:
    """The text of one option's value."""
    return json.dumps(_encoded(value), sort_keys=True)


def with_columns(contract: Contract, columns: tuple[Column, ...]) -> Contract:
    """The contract with other columns; options that name a missing column lose it."""
    names = {column.name for column in columns}
    options = {f.name: getattr(contract, f.name) for f in fields(Contract)}
    for name in ("key", "critical", "absent", "persons"):
        options[name] = tuple(each for each in options[name] if each in names)
    for name in ("event_time", "time_of_day"):
        options[name] = options[name] if options[name] in names else None
    return RecordedContract(**options, recorded=columns)


def _column_text(column: Column) -> dict[str, Any]:
    return {
        f.name: _encoded(getattr(column, f.name))
        for f in fields(Column)
        if f.name not in _NOT_OF_VALUES and not _is_default(f, getattr(column, f.name))
    }


def _is_default(option: dataclasses.Field[Any], value: object) -> bool:
    return option.default is not MISSING and bool(option.default == value)


def _encoded(value: object) -> Any:  # noqa: PLR0911
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {_KIND: "datetime", "iso": value.isoformat()}
        case date():
            return {_KIND: "date", "iso": value.isoformat()}
        case timedelta():
            return {_KIND: "timedelta", "seconds": value.total_seconds()}
        case tuple() | list():
            return [_encoded(each) for each in value]
        case frozenset() | set():
            return {_KIND: "set", "values": sorted((_encoded(each) for each in value), key=repr)}
        case Mapping():
            return {_KIND: "map", "items": [[_encoded(k), _encoded(v)] for k, v in value.items()]}
        case re.Pattern():
            return {_KIND: "pattern", "text": value.pattern, "flags": value.flags}
        case Check():
            return _encoded_check(value)
    if dataclasses.is_dataclass(value) and type(value).__name__ in _classes():
        options = {
            f.name: _encoded(getattr(value, f.name))
            for f in fields(value)
            if not _is_default(f, getattr(value, f.name))
        }
        return {_KIND: type(value).__name__, "options": options}
    raise TypeError(f"{value!r} can't be recorded with a contract; use text, numbers, dates, lists")


def _encoded_check(check: Check) -> dict[str, Any]:
    name, values = str(check.name), dict(check.statistics or {})
    if not (values and Check.is_builtin_check(name)):
        return {_KIND: "function", "name": name, "code": _code_hash(check)}
    given = {key: _encoded(value) for key, value in values.items() if value is not None}
    encoded: dict[str, Any] = {_KIND: "check", "name": name, "with": given}
    return encoded if check.ignore_na else {**encoded, "ignore_na": False}


def _code_hash(check: Check) -> str:
    """The identity of a rule that is a function: of its source, as its name does not change."""
    return hashlib.sha256("\n".join(_sources(check._check_fn)).encode()).hexdigest()[:16]


def _sources(function: Any) -> Iterator[str]:
    """The source of a function, or of those that pandera has wrapped in it."""
    declared = getattr(function, "check_fn", function)
    declared = getattr(declared, "__func__", declared)
    module = str(getattr(declared, "__module__", ""))
    if isinstance(declared, partial):
        yield repr((declared.args, declared.keywords))
        yield from _sources(declared.func)
    elif not inspect.isfunction(declared):
        return
    elif module.startswith("pandera."):
        for cell in declared.__closure__ or ():
            yield from _sources(cell.cell_contents)
    else:
        yield inspect.getsource(declared)


@cache
def _classes() -> dict[str, type[Any]]:
    """The classes of options, by name."""
    found = {**vars(column_module), **vars(contract_module)}
    return {
        name: each
        for name, each in found.items()
        if isinstance(each, type)
        and dataclasses.is_dataclass(each)
        and each not in (Column, Contract)
    }


@dataclass(frozen=True)
class _Decoder:
    """Makes values of a text. Functions are taken from the declared contract; what is not there is
    listed in `missing`.
    """

    declared: Contract
    missing: list[str] = field(default_factory=list)

    def column(self, text: Mapping[str, Any]) -> Column:
        """One column."""
        today = self.declared.columns.get(text["name"])
        found = (self._check(each, text["name"]) for each in text.get("checks", ()))
        given = {name: value for name, value in text.items() if name != "checks"}
        return Column(
            description=today.description if today else "",
            checks=tuple(check for check in found if check is not None),
            **self.options(given, Column),
        )

    def options(self, text: Mapping[str, Any], of: type[Any]) -> dict[str, Any]:
        """The options of a contract or column that this release knows."""
        known = {f.name for f in fields(of)}
        self.missing.extend(f"the option {n}" for n in text if n not in known)
        return {name: self.value(value) for name, value in text.items() if name in known}

    def value(self, encoded: Any) -> Any:  # noqa: PLR0911
        """One value."""
        if isinstance(encoded, list):
            return tuple(self.value(each) for each in encoded)
        if not isinstance(encoded, dict):
            return encoded
        match encoded[_KIND]:
            case "datetime":
                return datetime.fromisoformat(encoded["iso"])
            case "date":
                return date.fromisoformat(encoded["iso"])
            case "timedelta":
                return timedelta(seconds=encoded["seconds"])
            case "set":
                return frozenset(self.value(each) for each in encoded["values"])
            case "map":
                return {self.value(k): self.value(v) for k, v in encoded["items"]}
            case "pattern":
                return re.compile(encoded["text"], encoded["flags"])
        kind = _classes().get(encoded[_KIND])
        if kind is None:
            self.missing.append(f"the option {encoded[_KIND]}")
            return None
        return kind(**self.options(encoded["options"], kind))

    def _check(self, encoded: Mapping[str, Any], column: str) -> Check | None:
        if encoded[_KIND] == "check":
            # A check finds its backend when it is made.
            register_ibis_backends()
            given = {name: self.value(value) for name, value in encoded["with"].items()}
            # pandera takes lists, and a rule's text lists its values.
            given = {n: [*v] if isinstance(v, tuple) else v for n, v in given.items()}
            ignore_na = encoded.get("ignore_na", True)
            made: Check = getattr(Check, encoded["name"])(**given, ignore_na=ignore_na)
            return made
        today = self.declared.columns.get(column)
        for check in today.checks if today else ():
            if _encoded_check(check) == encoded:
                return check
        self.missing.append(f"the deployed rule {encoded['name']} of column {column} is a function")
        return None
