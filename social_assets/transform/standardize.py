"""Makes typed columns from texts: cast, default, standardize, derive, event time.

Belongs here: how a value is converted. `validate` decides if it is acceptable, by the
`bad_<column>` flags that mark values which could not be converted.
"""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from resources.settings.first_date import earliest_event_date
from social_assets.contracts.column import (
    AgeGroup,
    Column,
    Derivation,
    HourOf,
    Spellings,
    TimeOfDay,
)
from social_assets.contracts.contract import Contract
from social_assets.transform.derived_keys import derived_key
from social_assets.transform.values.lists import list_of
from social_assets.transform.values.missing import is_null_spelled
from social_assets.transform.values.numbers import plain_number
from social_assets.transform.values.times import with_times

TRUE = ("true", "t", "yes", "y", "1", "1.0")
FALSE = ("false", "f", "no", "n", "0", "0.0")

_INTEGER = r"^[+-]?[0-9]{1,19}(\.0+)?$"
_TIMES_OF_DAY = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
_AGE_GROUPS = ((18, "13-17"), (25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"))


@ibis.udf.scalar.builtin(
    name="try_strptime", signature=((dt.string, dt.Array(dt.string)), dt.timestamp)
)
def _try_strptime(text: str, formats: list[str]) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(name="isfinite", signature=((dt.float64,), dt.boolean))
def _isfinite(number: float) -> bool: ...  # type: ignore[empty-body]


def cleaned(records: ir.Table, contract: Contract) -> ir.Table:
    """Records with `in_<column>` texts -> typed columns, `event_time`, and `bad_<column>` flags.

    A flag is true if there was a text that could not be read as the column's type. Bad values, and
    nulls of columns without a default, stay null.
    """
    # In several selects: DuckDB computes an expression of a CASE twice unless it is a column.
    times = [c for c in contract.source_columns if c.type == "timestamp"]
    records = with_times(records, times)
    read = records.mutate(
        **{
            c.name: _read(records[f"in_{c.name}"], c)
            for c in contract.source_columns
            if c not in times
        }
    )
    typed = read.mutate(
        **{
            c.name: _text_or_null(read, c)
            if is_text(c)
            else _typed(read[f"in_{c.name}"], read[c.name], c)
            for c in contract.source_columns
            if c not in times
        }
    )
    flagged = typed.mutate(
        **{f"bad_{c.name}": _is_bad(typed, c) for c in contract.source_columns},
        **{
            f"missing_{c.name}": _is_missing(typed, c)
            for c in contract.source_columns
            if c.name in contract.required
        },
    )
    repeated = {
        c.name: flagged[c.name].nullif(flagged[c.missing_if_equal_to])
        for c in contract.source_columns
        if c.missing_if_equal_to in contract.columns
    }
    if repeated:
        flagged = flagged.mutate(**repeated)
    filled = flagged.mutate(
        **{
            c.name: flagged[c.name].fill_null(c.default)
            for c in contract.source_columns
            if c.default is not None and c.name not in contract.required
        }
    )
    derived = filled.mutate(
        **{c.name: _derived(filled, c.derive) for c in contract.columns.values() if c.derive}
    )
    return derived.mutate(event_time=event_time(derived, contract))


def event_time(records: ir.Table, contract: Contract) -> ir.TimestampValue:
    """The time of each typed record; null if the contract's time field is unreadable."""
    if contract.event_time is not None:
        return records[contract.event_time]
    if contract.time_of_day is None:
        return records.timestamp
    text = records[contract.time_of_day]
    clock = (
        text.substr(0, 2).try_cast("int64") * 3600
        + text.substr(3, 2).try_cast("int64") * 60
        + text.substr(6, 2).try_cast("int64")
    )
    on_its_date = records.timestamp.truncate("D") + clock.as_interval("s")
    return ibis.cases((records.source == "file", on_its_date)).coalesce(records.timestamp)


def landing_date(read: ir.Table, contract: Contract) -> ir.DateValue:
    """The day of the event time if it is plausible, or else of the arrival's timestamp.

    `read` has `timestamp`, `ingested_at` and, if the contract names an event time, that column:
    null where it is unreadable.
    """
    if contract.event_time is None:
        return read.timestamp.date()
    happened = read[contract.event_time]
    tolerance = ibis.interval(seconds=int(contract.future_after.total_seconds()))
    meant = ~is_too_early(happened) & (happened <= read.ingested_at + tolerance)
    return ibis.cases((meant, happened)).coalesce(read.timestamp).date()


def is_too_early(time: ir.TimestampValue) -> ir.BooleanValue:
    """Whether an event time is before the first date of the installation."""
    return time < datetime.combine(earliest_event_date(), datetime.min.time())


def _read(text: ir.StringValue, column: Column) -> ir.Value:
    """The first select for a column's type: values that the second one uses more than once."""
    if isinstance(column.standardize, TimeOfDay):
        return text
    if isinstance(column.standardize, Spellings) or column.type == "boolean":
        return text.lower()
    match column.type:
        case "number":
            return plain_number(text, column).try_cast("float64")
        case "integer":
            return plain_number(text, column)
    return text


def _typed(text: ir.StringValue, read: ir.Value, column: Column) -> ir.Value:
    """The second select: a table of the typed columns."""
    if isinstance(column.standardize, TimeOfDay):
        return _time_of_day(text)
    match column.type:
        case "integer":
            return ibis.cases((read.re_search(_INTEGER), read.try_cast("int64")))
        case "number":
            return ibis.cases((_isfinite(read), read))
        case "boolean":
            return ibis.cases((read.isin(TRUE), True), (read.isin(FALSE), False))
        case "strings":
            return list_of(text, column.separator)
    raise TypeError(f"no way to read a column of {column.type}; add it to standardize.py")


def is_text(column: Column) -> bool:
    """Whether a column takes every text; the others reject what they cannot read."""
    return column.type == "string" and not isinstance(column.standardize, TimeOfDay)


def _text_or_null(read: ir.Table, column: Column) -> ir.StringValue:
    text = read[column.name]
    if isinstance(column.standardize, Spellings):
        text = _standardized(text, column.standardize)
    return ibis.cases((read[f"nested_{column.name}"], ibis.null("string")), else_=text)


def _is_bad(typed: ir.Table, column: Column) -> ir.BooleanValue:
    """Whether there is a text that is not of the column's type."""
    if is_text(column):
        return typed[f"nested_{column.name}"]
    bad = typed[f"in_{column.name}"].notnull() & ~is_null_spelled(typed, column)
    if column.type == "timestamp":
        bad = bad & typed[f"either_{column.name}"].isnull()
    return ibis.cases((typed[column.name].isnull(), bad), else_=False)


def _is_missing(typed: ir.Table, column: Column) -> ir.BooleanValue:
    absent = typed[f"in_{column.name}"].isnull()
    if is_text(column):
        return absent
    absent = absent | is_null_spelled(typed, column)
    return ibis.cases((typed[column.name].isnull(), absent), else_=False)


def _standardized(lowered: ir.StringValue, spellings: Spellings) -> ir.StringValue:
    known = spellings.lookup()
    branches = [(lowered == spelling, stored) for spelling, stored in known.items() if spelling]
    return ibis.cases((lowered.isnull(), ibis.null("string")), *branches, else_=spellings.otherwise)


def _time_of_day(text: ir.StringValue) -> ir.StringValue:
    formats = ibis.array([ibis.literal(f) for f in _TIMES_OF_DAY])
    return _try_strptime(text, formats).strftime("%H:%M:%S")


def _derived(records: ir.Table, derivation: Derivation | None) -> ir.Value:
    match derivation:
        case AgeGroup(age=age):
            branches = [(records[age] < below, band) for below, band in _AGE_GROUPS]
            older = ibis.cases((records[age] < 65, "55-64"), else_="65+")
            return ibis.cases((records[age].isnull(), "Unknown"), *branches, else_=older)
        case HourOf(time_of_day=name):
            return records[name].substr(0, 2).try_cast("int64")
    if derivation is not None:
        return derived_key(records, derivation)
    raise TypeError("a column without derivation is read from the record")
