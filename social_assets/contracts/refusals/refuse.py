"""Refuses contracts that cannot work, when they are declared: with stream, column and remedy.

Belongs here: every reason for which a declaration is refused that can be told without data. What is
wrong with a file that holds a contract belongs to `broken`.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import pandera.ibis as pa

from social_assets.contracts.column import Column, Spellings, TimeOfDay
from social_assets.contracts.refusals.refuse_capture import refuse_capture
from social_assets.contracts.refusals.refuse_columns import (
    LONGEST_NAME,
    TYPE_WORDS,
    RefusedError,
    readable_columns,
    refuse_column,
)
from social_assets.contracts.refusals.refuse_explode import refuse_explode
from social_assets.contracts.refusals.refuse_media import refuse_media
from social_assets.contracts.refusals.refuse_names import refuse_names

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract

LAYERS = frozenset(
    {
        *("raw", "cleaned", "quarantine", "star", "rollups", "features", "text", "recsys"),
        *("forecasts", "predictions", "reports", "privacy", "internal", "current", "media"),
    }
)
"""Names of layers and databases, which cannot be names of streams."""

FORMATS = ("csv", "ndjson", "parquet")
_TEXTS = (
    *("key", "formats", "time_formats", "null_spellings", "critical", "persons"),
    *("unread", "absent"),
)


def refuse_unusable(contract: Contract) -> None:
    """Raise RefusedError for the first thing in a contract that cannot work."""
    _refuse_name(contract)
    _refuse_texts(contract)
    _refuse_kinds(contract)
    columns = readable_columns(contract)
    for column in columns.values():
        refuse_column(contract, column)
    _refuse_roles(contract, columns)
    refuse_capture(contract)
    refuse_explode(contract)
    refuse_media(contract, columns)
    refuse_names(contract)
    _refuse_numbers(contract)
    _refuse_retention(contract)


def _refuse_name(contract: Contract) -> None:
    name = contract.name

    def refuse(reason: str, remedy: str) -> typing.NoReturn:
        raise RefusedError(name, "", reason, remedy)

    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        refuse(
            f"{name!r} cannot be a stream's name",
            "a stream's name is snake_case: small letters, digits and underscores, a letter first",
        )
    if name in LAYERS:
        refuse(f"{name} is the name of a layer", "give the stream another name")
    if len(name) > LONGEST_NAME:
        refuse(f"a name of {len(name)} characters", f"use up to {LONGEST_NAME}")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", contract.topic or name):
        refuse(
            f"{contract.topic!r} cannot be a Kafka topic",
            "use letters, digits, points, hyphens and underscores",
        )
    owner = contract.owner
    if not isinstance(owner, str) or not re.fullmatch(
        r"team:.+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}", owner
    ):
        refuse(
            f"{owner!r} cannot be an owner in Dagster",
            'write "team:NAME" or an e-mail address',
        )
    if not (isinstance(contract.model, type) and issubclass(contract.model, pa.DataFrameModel)):
        refuse(
            f"{contract.model!r} is no model of pandera.ibis",
            "derive the model's class from pandera.ibis.DataFrameModel",
        )


def _refuse_texts(contract: Contract) -> None:
    """Options that are several texts: a single text would be read as its letters."""
    for option in _TEXTS:
        values = getattr(contract, option)
        if isinstance(values, str) or not all(isinstance(value, str) for value in values):
            remedy = f'write {option}=("{values}",)' if isinstance(values, str) else ""
            raise RefusedError(
                contract.name,
                "",
                f"{option} is {values!r}",
                remedy or f"write a tuple of texts, such as {option}=(...,)",
            )
    for option in ("key", "formats"):
        values = getattr(contract, option)
        if not values or len(set(values)) < len(values):
            raise RefusedError(
                contract.name,
                "",
                f"{option} is {values!r}",
                f"name at least one, and each once, in `{option}`",
            )
    unknown = [each for each in contract.formats if each not in FORMATS]
    if unknown:
        raise RefusedError(
            contract.name,
            "",
            f"no format {', '.join(map(repr, unknown))}",
            f"use {', '.join(FORMATS)} in `formats`; ndjson stands for all JSON",
        )


def _refuse_kinds(contract: Contract) -> None:
    """Options that are an object of a class, or one text."""
    for option, kind in {
        "csv": "CsvFormat",
        "freshness": "Freshness",
        "drift": "Drift",
        "retention": "Retention",
    }.items():
        value = getattr(contract, option)
        if kind not in (each.__name__ for each in type(value).__mro__):
            remedy = f"write {option}={kind}(...)"
            raise RefusedError(contract.name, "", f"{option} is {value!r}", remedy)
    for option in ("records_at", "event_time", "time_of_day", "time_zone"):
        value = getattr(contract, option)
        if value is not None and not isinstance(value, str):
            remedy = f'write one text, as {option}="name"'
            raise RefusedError(contract.name, "", f"{option} is {value!r}", remedy)


def _refuse_roles(contract: Contract, columns: Mapping[str, Column]) -> None:
    def refuse(column: str, reason: str, remedy: str) -> typing.NoReturn:
        raise RefusedError(contract.name, column, reason, remedy)

    for name in contract.key:
        if name in columns and columns[name].nullable:
            refuse(
                name,
                "a column of the key cannot be nullable",
                "remove nullable=True, or take the column out of `key`",
            )
        if name in columns and columns[name].type in ("number", "strings"):
            refuse(
                name,
                f"{TYPE_WORDS[columns[name].type]} cannot be in the key",
                "use str, int, bool or datetime",
            )
    for name in contract.persons:
        if name in columns and columns[name].type != "string":
            refuse(
                name,
                f"{TYPE_WORDS[columns[name].type]} cannot be the id of a person",
                "use str: an id may begin with zeros",
            )
    event_time = columns.get(contract.event_time or "")
    if event_time is not None and event_time.type != "timestamp":
        refuse(
            event_time.name,
            f"the event time is of the type {TYPE_WORDS[event_time.type]}",
            "declare it as datetime",
        )
    clock = columns.get(contract.time_of_day or "")
    if clock is not None and not isinstance(clock.standardize, TimeOfDay):
        refuse(
            clock.name,
            "the contract's time_of_day is not standardized as one",
            'add metadata={"standardize": TimeOfDay()}',
        )
    for column in columns.values():
        if isinstance(column.standardize, Spellings) and not column.standardize.canonical:
            refuse(column.name, "Spellings has no values", "name the stored values")


def _refuse_numbers(contract: Contract) -> None:
    def refuse(reason: str, remedy: str) -> typing.NoReturn:
        raise RefusedError(contract.name, "", reason, remedy)

    for option in ("warn_above", "fail_above"):
        if not isinstance(getattr(contract, option), int | float):
            refuse(f"{option} is {getattr(contract, option)!r}", "use a share from 0 to 1")
    if not 0 <= contract.warn_above <= contract.fail_above <= 1:
        refuse(
            f"warn_above is {contract.warn_above} and fail_above {contract.fail_above}",
            "they are shares: 0 <= warn_above <= fail_above <= 1 must hold",
        )
    for option in ("max_record_bytes", "lag_warn_above", "lag_fail_above"):
        number = getattr(contract, option)
        if not isinstance(number, int) or isinstance(number, bool):
            refuse(f"{option} is {number!r}", "use a whole number, as 100_000")
    if contract.max_record_bytes < 1:
        refuse(f"max_record_bytes is {contract.max_record_bytes}", "use 1 or more")
    if not 0 <= contract.lag_warn_above <= contract.lag_fail_above:
        refuse(
            f"lag_warn_above is {contract.lag_warn_above} and lag_fail_above "
            f"{contract.lag_fail_above}",
            "they are numbers of offsets: 0 <= lag_warn_above <= lag_fail_above must hold",
        )
    for option in ("late_after", "future_after"):
        span = getattr(contract, option)
        if not isinstance(span, timedelta) or span < timedelta():
            refuse(f"{option} is {span!r}", "use a timedelta of 0 or more")


def _refuse_retention(contract: Contract) -> None:
    for option, days in vars(contract.retention).items():
        if days is None:
            continue
        if not isinstance(days, int) or isinstance(days, bool):
            raise RefusedError(
                contract.name, "", f"{option} of retention is {days!r}", "use a number of days"
            )
        if timedelta(days=days) <= contract.late_after:
            raise RefusedError(
                contract.name,
                "",
                f"{option} is {days}, and records may be late by {contract.late_after}: they would "
                "be removed as they come",
                "keep more days in `retention`, or lower late_after",
            )
