"""Reads which accounts to track: PLATFORM:ACCOUNT, and CSV files with one account a line.

Belongs here: how people name accounts, and what they may say about each. Storing it belongs to
`control.collection.tracked_accounts`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import PlanChange, parse_interval, parse_priority
from social_assets.ingest.connectors.errors import ConnectorDeclarationError
from social_assets.ingest.connectors.registry import connector_of

_NEEDED = ("platform", "account")
_PLAN = ("priority", "every", "refresh_at", "time_zone")
_DELIMITERS = (",", ";", "\t")
_NAME = re.compile(r"[^\s/?#&,;(){}<>\"'\\]+")
_SHOWN = 10


class AccountListError(ValueError):
    """What should name accounts does not; the text says where and why, one problem a line."""


def parse_account(text: str) -> Account:
    """Read PLATFORM:ACCOUNT, the id or the handle, with or without `@`.

    Raises AccountListError, AccountNameError; ConnectorDeclarationError for a platform without a
    connector.
    """
    platform, colon, name = text.partition(":")
    if not colon:
        raise AccountListError(f"{text!r} is not PLATFORM:ACCOUNT, such as instagram:natgeo")
    return _account(connector_of(platform.strip()).platform, name)


def parse_tracked(text: str) -> Account:
    """Read PLATFORM:ACCOUNT of an account that may be tracked although its connector is gone."""
    try:
        return parse_account(text)
    except ConnectorDeclarationError:
        platform, _, name = text.partition(":")
        return _account(platform.strip(), name)


def _account(platform: str, name: str) -> Account:
    plain = name.strip().removeprefix("@")
    if not plain:
        raise AccountListError("the name of the account is empty")
    if not _NAME.fullmatch(plain):
        raise AccountListError(
            f"{name.strip()!r} is no id or handle of an account: it has blanks or signs of an "
            "address; write natgeo instead of https://www.instagram.com/natgeo/"
        )
    return Account(platform, plain)


def read_accounts(path: Path) -> dict[Account, PlanChange]:
    """The accounts of a CSV file, and what it says about the plan of each.

    The first line names the columns: platform, account, and any of priority, every, refresh_at,
    time_zone. An empty field says nothing. Raises AccountListError with all that is wrong, and
    OSError.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AccountListError(f"{path}: it is not UTF-8 text ({error.reason})") from None
    found: dict[Account, PlanChange] = {}
    lines: dict[Account, int] = {}
    problems = []
    for line, fields in _records(path, text):
        try:
            account, change = _tracked(fields)
            if account in found:
                raise AccountListError(f"{account} is in line {lines[account]} already")
        except ValueError as error:
            problems.append(f"{path}:{line}: {error}")
        else:
            found[account], lines[account] = change, line
    if problems:
        more = len(problems) - _SHOWN
        told = problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise AccountListError("\n".join(told))
    if not found:
        raise AccountListError(f"{path}: it has no account")
    return found


def _records(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each record with the number of its line, by the names of the columns."""
    head = text.partition("\n")[0]
    delimiter = next((each for each in _DELIMITERS if each in head), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                if not names:
                    names = _names(path, line, fields)
                elif len(fields) > len(names):
                    raise AccountListError(
                        f"{path}:{line}: it has {len(fields)} fields, and there are "
                        f"{len(names)} columns"
                    )
                else:
                    yield line, dict(zip(names, map(str.strip, fields), strict=False))
            line = reader.line_num + 1
    except csv.Error as error:
        raise AccountListError(f"{path}:{line}: it is no CSV: {error}") from None


def _names(path: Path, line: int, fields: list[str]) -> list[str]:
    names = [field.strip().casefold() for field in fields]
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in (*_NEEDED, *_PLAN)]
    twice = sorted({name for name in names if names.count(name) > 1})
    for found, said in ((missing, "there is no"), (unknown, "unknown is"), (twice, "twice is")):
        if found:
            raise AccountListError(
                f"{path}:{line}: {said} column {', '.join(map(repr, found))}; the first line "
                f"names the columns {', '.join(_NEEDED)}, and any of {', '.join(_PLAN)}"
            )
    return names


def _tracked(fields: Mapping[str, str]) -> tuple[Account, PlanChange]:
    platform, name = (fields.get(column, "") for column in _NEEDED)
    account = _account(connector_of(platform).platform, name)
    return account, plan_change(**{column: fields.get(column) or None for column in _PLAN})


def plan_change(
    priority: str | None, every: str | None, refresh_at: str | None, time_zone: str | None
) -> PlanChange:
    """What a person says about a plan, from texts; None says nothing. Raises ValueError."""
    return PlanChange(
        None if priority is None else parse_priority(priority),
        None if every is None else parse_interval(every),
        refresh_at,
        time_zone,
    )
