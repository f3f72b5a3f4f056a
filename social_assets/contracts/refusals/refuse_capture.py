"""Refuses a contract of the kind *changes* that cannot work."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING

from social_assets.contracts.options.change_capture import (
    CHANGED_AT,
    OP,
    POSITION,
    URL_VARIABLE,
    ChangeCapture,
    RowChange,
)
from social_assets.contracts.refusals.refuse_columns import RefusedError

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract

_NAME = r"[^.\"\\]+"


def refuse_capture(contract: Contract) -> None:
    """Raise RefusedError for options that do not fit the kind *changes*."""
    capture = contract.capture
    if capture is None:
        return

    def refuse(reason: str, remedy: str, column: str = "") -> typing.NoReturn:
        raise RefusedError(contract.name, column, reason, remedy)

    if not isinstance(capture, ChangeCapture):
        refuse(f"capture is {capture!r}", "declare the contract by Contract.of_changes(...)")
    if not issubclass(contract.model, RowChange):
        refuse(
            f"{contract.model.__name__} has no columns of a change",
            f"derive it from RowChange: class {contract.model.__name__}(RowChange)",
        )
    _refuse_names(capture, refuse)
    if not capture.primary_key or contract.key != (*capture.primary_key, POSITION):
        refuse(
            f"the key is {contract.key!r}",
            f"it must be the primary key and {POSITION}: declare primary_key=(...) by "
            "Contract.of_changes(...)",
        )
    if contract.event_time != CHANGED_AT or contract.critical != (OP,):
        refuse(
            f"event_time is {contract.event_time!r} and critical {contract.critical!r}",
            "declare the contract by Contract.of_changes(...)",
        )
    if contract.explode is not None or contract.time_of_day is not None:
        refuse("a change cannot be exploded, and has a time of its own", "remove that option")
    if contract.formats != ("ndjson",):
        refuse(f"formats is {contract.formats!r}", 'changes are JSON: formats=("ndjson",)')
    if contract.retention.cleaned_days is not None:
        refuse(
            "retention has cleaned_days: a row that did not change for so long would be gone from "
            f"current.{contract.name}",
            "remove it; raw_days may be declared",
        )
    for column in contract.columns.values():
        if column.type == "timestamp" and not (column.nullable or column.name in contract.required):
            refuse("a delete has no value for it", "add nullable=True", column.name)


def _refuse_names(capture: ChangeCapture, refuse: Callable[[str, str], typing.NoReturn]) -> None:
    """Refuse names of table, slot and variable that nothing could have."""
    if not re.fullmatch(rf"{_NAME}\.{_NAME}", capture.table):
        refuse(f"table is {capture.table!r}", 'name the schema, too, as "public.orders"')
    if capture.slot and not re.fullmatch(r"[a-z0-9_]{1,63}", capture.slot):
        refuse(
            f"{capture.slot!r} cannot be a replication slot",
            "use small letters, digits and underscores, up to 63",
        )
    if not re.fullmatch(rf"{URL_VARIABLE}(__[A-Z0-9_]*[A-Z0-9])?", capture.url_variable):
        refuse(
            f"url_variable is {capture.url_variable!r}",
            f"name it {URL_VARIABLE}, or for a second database {URL_VARIABLE}__SHOP",
        )
