"""The difference between the deployed contract of a stream and today's.

Belongs here: what changed, in words, and what that means for rows that were accepted before: they
stay as they are, or their days must be made anew. Pure: reads no table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from social_assets.contracts.changes.contract_text import encoded_option, is_of_rows
from social_assets.contracts.column import Column, Place
from social_assets.contracts.contract import Contract

Kind = Literal[
    "column added",
    "column removed",
    "column renamed",
    "type changed",
    "nullable changed",
    "default changed",
    "rule changed",
    "source changed",
    "conversion changed",
    "encoding changed",
    "key changed",
    "option changed",
]

Effect = Literal["in place", "rebuild", "dates", "recut"]
"""`in place`: rows stay, only tables are altered. `rebuild`: rows are made anew from raw. `dates`:
the same, and raw is divided anew, since records may belong to other days then. `recut`: raw holds
records as they were cut before, which is refused."""

_READ_EVENT_TIME = ("max_record_bytes", "future_after")
"""Options that decide how, and if, the event time of a record is read."""

_BREAKING = ("column removed", "column renamed", "type changed", "key changed")


@dataclass(frozen=True)
class Change:
    """One difference. `what` is a column or an option of the contract."""

    kind: Kind
    what: str
    before: str
    after: str
    effect: Effect

    @property
    def is_breaking(self) -> bool:
        """Whether a query on the stream's tables may fail, or get values of another type, null
        where there was none, or other rows for a key or a day.
        """
        is_null_allowed = self.kind == "nullable changed" and self.after == str(True)
        is_of_raw = self.effect in ("dates", "recut")
        return self.kind in _BREAKING or is_of_raw or is_null_allowed

    def __str__(self) -> str:
        if self.kind == "column added":
            return f"{self.kind}: {self.what} ({self.after})"
        if self.kind == "column removed":
            return f"{self.kind}: {self.what} ({self.before})"
        if self.kind == "column renamed":
            return f"{self.kind}: {self.before} -> {self.after}"
        return f"{self.kind}: {self.what}, {self.before} -> {self.after}"


def changes(deployed: Contract, declared: Contract) -> tuple[Change, ...]:
    """What differs in the rows that two contracts of one stream make."""
    if deployed is declared:
        return ()
    return (*_options(deployed, declared), *_columns(deployed, declared))


def needs_rebuild(found: tuple[Change, ...]) -> bool:
    """Whether rows that were accepted or rejected before must be made anew."""
    return any(change.effect != "in place" for change in found)


def renames(deployed: Contract, declared: Contract) -> dict[str, str]:
    """The deployed name of each renamed column, by its new name."""
    return {
        column.name: former
        for column in declared.columns.values()
        for former in column.renamed_from
        if column.name not in deployed.columns
        and former in deployed.columns
        and former not in declared.columns
    }


def _options(deployed: Contract, declared: Contract) -> Iterator[Change]:
    for option in fields(Contract):
        if not is_of_rows(option.name):
            continue
        before, after = getattr(deployed, option.name), getattr(declared, option.name)
        if encoded_option(before) == encoded_option(after):
            continue
        kind: Kind = "key changed" if option.name == "key" else "option changed"
        yield Change(
            kind, option.name, _told(before), _told(after), _effect(option.name, deployed, declared)
        )


def _effect(option: str, deployed: Contract, declared: Contract) -> Effect:
    if option == "explode":
        return "recut"
    has_event_time = deployed.event_time or declared.event_time
    is_of_dates = option == "event_time" or (option in _READ_EVENT_TIME and has_event_time)
    return "dates" if is_of_dates else "rebuild"


def _columns(deployed: Contract, declared: Contract) -> Iterator[Change]:
    former = renames(deployed, declared)
    for column in declared.columns.values():
        name = former.get(column.name, column.name)
        before = deployed.columns.get(name)
        if before is None:
            yield _added(column)
            continue
        if name != column.name:
            yield Change("column renamed", column.name, name, column.name, "rebuild")
        yield from _changed(before, column, deployed, declared)
    for column in deployed.columns.values():
        if column.name not in declared.columns and column.name not in former.values():
            yield Change("column removed", column.name, _described(column), "", "rebuild")


def _added(column: Column) -> Change:
    is_null_before = column.nullable and column.default is None and column.derive is None
    effect: Effect = "in place" if is_null_before else "rebuild"
    return Change("column added", column.name, "", _described(column), effect)


def _changed(
    before: Column, after: Column, deployed: Contract, declared: Contract
) -> Iterator[Change]:
    is_never_null = before.name in deployed.required and after.name in declared.required
    is_of_dates = after.name == declared.event_time or _tells_event_time(after.name, declared)
    keeps_rows = is_never_null or before.default == after.default
    kinds: dict[str, Kind] = {
        "type": "type changed",
        "nullable": "nullable changed",
        "default": "default changed",
        "checks": "rule changed",
        "categorical": "encoding changed",
        "source": "source changed",
        "time_source": "source changed",
        "renamed_from": "source changed",
    }
    for option in fields(Column):
        if option.name in ("name", "description"):
            continue
        if option.name == "renamed_from" and before.name != after.name:
            continue
        old, new = getattr(before, option.name), getattr(after, option.name)
        if encoded_option(old) == encoded_option(new):
            continue
        kind = kinds.get(option.name, "conversion changed")
        keeps_each_row = {
            "encoding changed": True,
            "nullable changed": after.nullable and keeps_rows,
            "default changed": is_never_null,
        }
        effect: Effect = "in place" if keeps_each_row.get(kind) else "rebuild"
        if is_of_dates and kind in ("type changed", "source changed", "conversion changed"):
            effect = "dates"
        yield Change(kind, after.name, _told(old), _told(new), effect)


def _tells_event_time(name: str, contract: Contract) -> bool:
    """Whether a record's platform, of this name, decides where its event time stands."""
    time = contract.columns.get(contract.event_time or "")
    return name == "platform" and time is not None and any(p.platform for p in time.places)


def _described(column: Column) -> str:
    return f"{column.type}, nullable" if column.nullable else column.type


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_told_part, value)) or "none"
    return "none" if value is None else str(value)


def _told_part(part: object) -> str:
    """A rule, a place in a record, or a name."""
    if isinstance(part, Place):
        return f"{part.path} ({part.platform})" if part.platform else part.path
    return str(getattr(part, "error", None) or getattr(part, "name", part))
