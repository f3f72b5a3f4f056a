"""Reads timestamps: the spellings that mean one moment without a declaration, and declared ones.

Belongs here: the columns that turn a text into a time in UTC. Which times are acceptable belongs to
`validate`. The cheap form is DuckDB's cast; the other forms are read only from the texts that it
does not read, so that ordinary records do not pay for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import Column

EARLIEST = datetime(1, 1, 1)
LATEST = datetime(9998, 12, 31)
"""The times that every store and Python can hold."""

_LARGEST_OFFSET = 14 * 60
"""Minutes. No place on Earth is further from UTC."""

_NUMERIC = r"\d{4}[/-][0-9T:+. /-]+"
"""Year first, and no letter but T."""
_NO_MINUTES = r"[+-]\d\d:?[6-9]\d$"
_FAR_OFFSET = r":\d\d(?:\.\d+)?[ A-Za-z.]*[+-](?:1[5-9]|[2-9]\d|14:?(?:0[1-9]|[1-9]\d))"
_ZONE = r"(z|utc|ut|gmt|[+-]\d\d(?::?\d\d)?)?"
_FRACTION = r"(?:[.,](\d+))?"
_CLOCK = rf"(\d\d?):(\d\d)(?::(\d\d){_FRACTION})?\s*([ap]\.?\s?m\b\.?)?"
_DAY = r"(\d\d?)(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"


@dataclass(frozen=True)
class _Form:
    """A pattern, ignoring case, and what its groups hold."""

    pattern: str
    groups: tuple[str, ...]

    def read(self, text: ir.StringValue) -> ir.StructValue:
        """The groups of a text that fits as a whole; each empty if it does not."""
        extract = _regexp_extract(self.groups)
        return extract(text, f"(?i)^(?:{self.pattern})$", _literals(self.groups))


@cache
def _regexp_extract(names: tuple[str, ...]) -> Callable[..., ir.StructValue]:
    """The function that extracts groups of these names; made once, so that a query is too."""
    struct = dt.Struct(dict.fromkeys(names, dt.string))
    signature = ((dt.string, dt.string, dt.Array(dt.string)), struct)

    @ibis.udf.scalar.builtin(name="regexp_extract", signature=signature)
    def extract(text: str, pattern: str, names: list[str]) -> dict[str, str]: ...  # type: ignore[empty-body]

    return cast("Callable[..., ir.StructValue]", extract)


_FORMS = (
    # 2024-01-02T03:04:05,678+05:30, 2024-1-2 3:04 PM, 2024-01-02T03
    _Form(
        rf"(\d{{4}})[-/.](\d\d?)[-/.](\d\d?)"
        rf"(?:[t ]\s*(\d\d?)(?::(\d\d)(?::(\d\d){_FRACTION})?)?\s*([ap]\.?\s?m\b\.?)?)?\s*{_ZONE}",
        ("year", "month", "day", "hour", "minute", "second", "fraction", "half", "zone"),
    ),
    # 20240102T030405Z, 20240102T03:04:05Z, 20240102
    _Form(
        r"((?:19|2[0-2])\d\d)(\d\d)(\d\d)"
        rf"(?:[t ](\d\d)(?::?(\d\d)(?::?(\d\d){_FRACTION})?)?)?\s*{_ZONE}",
        ("year", "month", "day", "hour", "minute", "second", "fraction", "zone"),
    ),
    # Wed, 10 Oct 2018 20:19:24 +0000 (RFC 2822), 28-Aug-2025, 1. January 2025 at 3:04 PM
    _Form(
        rf"{_WEEKDAY}{_DAY}[ .-]\s*{_MONTH}[ ,-]\s*(\d{{4}})"
        rf"(?:,?\s+(?:at\s+)?{_CLOCK})?\s*{_ZONE}(?:\s*\([a-z ]*\))?",
        ("day", "name", "year", "hour", "minute", "second", "fraction", "half", "zone"),
    ),
    # Aug 28, 2025, January 2nd, 2025 at 3:04:05 PM
    _Form(
        rf"{_WEEKDAY}{_MONTH}[ -]\s*{_DAY}(?:,\s*|\s+|-)(\d{{4}})"
        rf"(?:,?\s+(?:at\s+)?{_CLOCK})?\s*{_ZONE}",
        ("name", "day", "year", "hour", "minute", "second", "fraction", "half", "zone"),
    ),
    # Wed Oct 10 20:19:24 +0000 2018 (Twitter), Wed Oct 10 20:19:24 2018
    _Form(
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}\s*{_ZONE}\s+(\d{{4}})",
        ("name", "day", "hour", "minute", "second", "fraction", "half", "zone", "year"),
    ),
)
_PARTS = ("year", "month", "name", "day", "hour", "minute", "second", "fraction", "half")

_OTHER_DATES = ["%G-W%V-%u", "%Y-%j"]
"""Week and ordinal dates of ISO 8601."""

_EPOCH = r"^(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d*))?$"
_SCIENTIFIC = r"\d(?:\.\d+)?[eE]\+?\d\d?"
_DAY_OR_MONTH = r"\d\d?[/. -]\s?\d\d?[/. -]\s?(?:\d{4}|\d\d)\.?(?:[,tT ].*)?"


@ibis.udf.scalar.builtin(name="suffix", signature=((dt.string, dt.string), dt.boolean))
def _ends_with(text: str, end: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=((dt.string, dt.string), dt.boolean))
def _is_all(text: str, pattern: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="regexp_extract", signature=((dt.string, dt.string, dt.int64), dt.string)
)
def _group(text: str, pattern: str, group: int) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="try_strptime", signature=((dt.string, dt.Array(dt.string)), dt.timestamp)
)
def _try_strptime(text: str, formats: list[str]) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(
    name="try_strptime", signature=((dt.string, dt.Array(dt.string)), dt.Timestamp("UTC"))
)
def _try_strptime_with_zone(text: str, formats: list[str]) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(
    name="timezone", signature=((dt.string, dt.timestamp), dt.Timestamp("UTC"))
)
def _in_zone(zone: str, local: datetime) -> datetime: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="make_timestamp", signature=((dt.int64,), dt.timestamp))
def _since_1970(microseconds: int) -> datetime: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="epoch_us", signature=((dt.timestamp,), dt.int64))
def _microseconds(time: datetime) -> int: ...  # type: ignore[empty-body]


def with_times(records: ir.Table, columns: Sequence[Column]) -> ir.Table:
    """Records with a time in UTC, or null, for each column, read from its text `in_<column>`.

    Adds `either_<column>`: true for a date of which day and month can be exchanged, else null.
    """
    if not columns:
        return records
    # In several selects: DuckDB computes an expression of a CASE twice unless it is a column.
    table = records.mutate(**{f"cast_{c.name}": _cast(records, c) for c in columns})
    table = table.mutate(**{c.name: _in_bounds(_first_read(table, c)) for c in columns})
    table = table.mutate(**{f"rest_{c.name}": _rest(table, c) for c in columns})
    table = table.mutate(
        **{
            f"form{number}_{c.name}": form.read(table[f"rest_{c.name}"])
            for c in columns
            for number, form in enumerate(_FORMS)
        }
    )
    table = table.mutate(
        **{f"local_{c.name}": _local(table, c) for c in columns},
        **{f"zone_{c.name}": _part(table, "zone", c) for c in columns},
    )
    read = {c.name: _in_bounds(_last_read(table, c)) for c in columns}
    either = {f"either_{c.name}": _either(table, c) for c in columns}
    own = ("cast", "rest", "local", "zone", *(f"form{n}" for n, _ in enumerate(_FORMS)))
    spent = {f"{prefix}_{c.name}" for prefix in own for c in columns} | read.keys()
    return table.select(*(name for name in table.columns if name not in spent), **read, **either)


def _cast(records: ir.Table, column: Column) -> ir.TimestampValue:
    """What DuckDB's cast reads, of the texts that mean one time to it and to everybody else.

    It also reads words (`epoch`) and names of zones, of which some are ambiguous (`IST`). A text
    without offset is not its business if the column has a time zone.
    """
    text = records[f"in_{column.name}"]
    time = text.try_cast(dt.Timestamp(timezone="UTC")).cast("timestamp")
    in_utc = (_ends_with(text, "Z") & (text < ":"), time)
    if column.time_zone is not None:
        return ibis.cases(in_utc)
    return ibis.cases(in_utc, (_is_all(text, _NUMERIC), time))


def _first_read(table: ir.Table, column: Column) -> ir.TimestampValue:
    """The cast's time if its offset is possible; of declared formats, theirs comes first."""
    text, read = table[f"in_{column.name}"], table[f"cast_{column.name}"]
    offset = _microseconds(read) - _microseconds(text.try_cast("timestamp"))
    near = ibis.cases(
        (read.isnull(), ibis.null("timestamp")),
        (_ends_with(text, "Z") | (text.length() <= 10), read),
        (
            (offset.abs() <= _LARGEST_OFFSET * 60_000_000) & ~text.re_search(_NO_MINUTES),
            read,
        ),
    )
    return ibis.coalesce(*_declared(text, column), near)


def _rest(table: ir.Table, column: Column) -> ir.StringValue:
    """The text if it is not read yet."""
    return ibis.cases((table[column.name].isnull(), table[f"in_{column.name}"]))


def _part(table: ir.Table, part: str, column: Column) -> ir.StringValue:
    """A part of the date from the one form that fits; empty if it has none."""
    found = [
        table[f"form{number}_{column.name}"][part]
        for number, form in enumerate(_FORMS)
        if part in form.groups
    ]
    return found[0].concat(*found[1:])


def _local(table: ir.Table, column: Column) -> ir.TimestampValue:
    """The time that the parts say, without offset; null if there is no such date or time."""
    part = {name: _part(table, name, column) for name in _PARTS}
    month = ibis.coalesce(
        part["month"].nullif(""),
        ((ibis.literal(_MONTHS).find(part["name"].substr(0, 3).lower()) + 3) // 3).cast("string"),
    )
    hour = part["hour"].try_cast("int64")
    afternoon = part["half"].lower().startswith("p")
    hour = ibis.cases(
        (part["half"] == "", hour.fill_null(0)),
        (hour.between(1, 12), hour % 12 + ibis.cases((afternoon, 12), else_=0)),
    )
    text = (
        part["year"]
        .concat("-", month, "-", part["day"], " ")
        .concat(hour.cast("string"), ":", part["minute"].nullif("").fill_null("0"), ":")
        .concat(part["second"].nullif("").fill_null("0"), ".", part["fraction"].substr(0, 6), "0")
    )
    return text.try_cast("timestamp")


def _either(table: ir.Table, column: Column) -> ir.BooleanValue:
    """True for a date in figures that does not begin with the year."""
    return ibis.cases((_is_all(table[f"rest_{column.name}"], _DAY_OR_MONTH), True))


def _last_read(table: ir.Table, column: Column) -> ir.TimestampValue:
    """What is read already, or else by the forms, as epoch, or as another date."""
    rest = table[f"rest_{column.name}"]
    others = _strptime(rest, _OTHER_DATES)
    return ibis.coalesce(
        table[column.name],
        _utc(table[f"local_{column.name}"], table[f"zone_{column.name}"], column),
        _since_epoch(rest),
        _without_zone(others, column),
    )


def _utc(local: ir.TimestampValue, zone: ir.StringValue, column: Column) -> ir.TimestampValue:
    digits = zone.re_replace("[^0-9]", "").concat("00").substr(0, 4)
    minutes = digits.substr(0, 2).try_cast("int64") * 60 + digits.substr(2, 2).try_cast("int64")
    minutes = ibis.cases((zone.startswith("-"), -minutes), else_=minutes)
    possible = (minutes.abs() <= _LARGEST_OFFSET) & (digits.substr(2, 2) < "60")
    return ibis.cases(
        (zone == "", _without_zone(local, column)),
        (~(zone.startswith("+") | zone.startswith("-")), local),
        (possible, local - minutes.as_interval("m")),
    )


def _without_zone(local: ir.TimestampValue, column: Column) -> ir.TimestampValue:
    """A time without offset as UTC: it is of the column's time zone, or else is UTC already."""
    if column.time_zone is None:
        return local
    return _in_zone(column.time_zone, local).cast("timestamp")


def _since_epoch(text: ir.StringValue) -> ir.TimestampValue:
    """Seconds, milli-, micro- or nanoseconds since 1970, by the number of digits."""
    number = ibis.cases(
        (_is_all(text, _SCIENTIFIC), text.try_cast(dt.Decimal(38, 9)).cast("string")), else_=text
    )
    whole, decimals = _group(number, _EPOCH, 1), _group(number, _EPOCH, 2).concat("000000")
    return _since_1970(
        ibis.cases(
            (whole.length() == 10, whole.concat(decimals.substr(0, 6)).try_cast("int64")),
            (whole.length() == 13, whole.concat(decimals.substr(0, 3)).try_cast("int64")),
            (whole.length() == 16, whole.try_cast("int64")),
            (whole.length() == 19, whole.substr(0, 16).try_cast("int64")),
        )
    )


def _declared(text: ir.StringValue, column: Column) -> list[ir.TimestampValue]:
    """What the column's declared formats read, those without an offset first."""
    with_zone = [f for f in column.time_formats if re.search("%[zZ]", f)]
    without = [f for f in column.time_formats if f not in with_zone]
    read = []
    if without:
        read.append(_without_zone(_strptime(text, without), column))
    if with_zone:
        time = _try_strptime_with_zone(text, _literals(with_zone)).cast("timestamp")
        read.append(ibis.cases((~text.re_search(_FAR_OFFSET) & _has_digit(text), time)))
    # `%Y` also reads two figures, as a year of the first century.
    return [ibis.cases((time >= datetime(1000, 1, 1), time)) for time in read]


def _strptime(text: ir.StringValue, formats: Sequence[str]) -> ir.TimestampValue:
    return ibis.cases((_has_digit(text), _try_strptime(text, _literals(formats))))


def _has_digit(text: ir.StringValue) -> ir.BooleanValue:
    """False for the words that `strptime` reads whatever the format says: `epoch`, `infinity`."""
    return text.re_search("[0-9]")


def _literals(texts: Sequence[str]) -> ir.ArrayValue:
    return ibis.array([ibis.literal(text) for text in texts])


def _in_bounds(time: ir.TimestampValue) -> ir.TimestampValue:
    """The time, unless it is an infinity or of a year that no store holds."""
    return ibis.cases((time.between(EARLIEST, LATEST), time))
