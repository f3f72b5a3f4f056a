"""The language in which a stream is declared: `Contract`, `Column` and the standardizations.

Here belong the types that a contract module uses to say what its rows must be, and what can be
read off such a declaration. Not here: how a rule is executed (`social_assets.transform`), how a
table is stored (`social_assets.lake`, `social_assets.warehouse`), the streams themselves (one
module each beside this file). Imports nothing of ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal

import ibis.expr.datatypes as dt
import pandera.ibis as pa
from pandera.dtypes import immutable
from pandera.engines import ibis_engine

from social_assets.contracts.pandera_private import Check, register_ibis_backends

RESERVED = frozenset(
    {
        *("source", "origin", "partition", "offset", "timestamp", "ingested_at", "batch_id"),
        *("event_date", "csv_header", "reasons", "verdict", "record_bytes", "record_text"),
        *("too_long", "is_json", "json_text", "json_fields", "csv_fields", "field_count_ok"),
        *("spare_keys", "landed_bytes"),
    }
)
"""Names that no column of a contract can have: the lake and the engine use them beside it."""

ColumnType = Literal["integer", "number", "string", "boolean", "timestamp", "strings"]
FileFormat = Literal["csv", "ndjson", "parquet"]

TOPIC_PREFIX = "SOCIAL_ASSETS_KAFKA_TOPIC_PREFIX"
"""Environment variable: what every topic's name begins with, where several installations share a
cluster; default nothing."""

FIRST_EVENT_DATE = date(2013, 1, 1)
"""No record is older: an event time before it is unreadable (1970 is a clock not set), and the
partitions of every asset begin with it."""

DEFAULTS: Mapping[ColumnType, object] = {
    "integer": 0,
    "number": 0.0,
    "string": "Unknown",
    "boolean": False,
}
"""What a missing value becomes where the contract says nothing else. Timestamps and lists of
strings have no neutral value: they stay null."""


@ibis_engine.Engine.register_dtype(
    equivalents=[list[str], dt.Array(dt.string), dt.Array(dt.String(nullable=True))]
)
@immutable
class Strings(ibis_engine.DataType):
    """`list[str]` as a column type; pandera's Ibis engine ships without lists."""

    type = dt.Array(dt.string)


@dataclass(frozen=True)
class Spellings:
    """Map the ways a value is written to the one it is stored as; case and blanks do not count.

    `canonical` holds stored value -> its other spellings. A value that is none of them becomes
    `otherwise`.
    """

    canonical: Mapping[str, tuple[str, ...]]
    otherwise: str

    def lookup(self) -> dict[str, str]:
        """Every known spelling, lower case, with the value it is stored as."""
        return {
            spelling.casefold(): stored
            for stored, others in self.canonical.items()
            for spelling in (stored, *others)
        }


@dataclass(frozen=True)
class TimeOfDay:
    """Store `9:00 PM`, `21:00` and `17:26:59` as `HH:MM:SS`; anything else rejects the record."""


@dataclass(frozen=True)
class AgeGroup:
    """Derive the ten-year band of an age column: `13-17`, `18-24`, `25-34` ... `65+`."""

    age: str


@dataclass(frozen=True)
class HourOf:
    """Derive the hour, 0 to 23, of a time-of-day column."""

    time_of_day: str


Standardization = Spellings | TimeOfDay
Derivation = AgeGroup | HourOf


@dataclass(frozen=True)
class Column:
    """One column of a stream, read off its pandera schema.

    A null becomes `default` unless that is None. `categorical` says that there are few distinct
    values, which a store may use to encode them.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool
    default: object
    categorical: bool
    standardize: Standardization | None
    derive: Derivation | None
    checks: tuple[Check, ...] = field(repr=False, hash=False, compare=False)

    @property
    def match_key(self) -> str:
        """What a source's spelling must reduce to: letters and digits only, case folded."""
        return match_key(self.name)


EVENT_TIME = Column(
    name="event_time",
    type="timestamp",
    description="When it happened, UTC",
    nullable=False,
    default=None,
    categorical=False,
    standardize=None,
    derive=None,
    checks=(),
)
"""What every cleaned row has, also where the stream's model does not name it."""


@dataclass(frozen=True)
class Freshness:
    """When a stream counts as stale: its newest day with rows ended this long ago.

    A daily file of a day arrives when the day is over, and the next one a day later: hence more
    than 24 hours.
    """

    warn_after: timedelta = timedelta(hours=30)
    fail_after: timedelta = timedelta(hours=54)


@dataclass(frozen=True)
class Band:
    """A change is usual up to `warn_above`; above that it warns, above `fail_above` it fails."""

    warn_above: float
    fail_above: float


@dataclass(frozen=True)
class Drift:
    """How far a day's rows may be from those of the days before it, before a check says so.

    Compared are up to `trailing_days` days before it; with fewer than `least_days` of them, or for
    shares and quantiles fewer than `least_rows` rows on the day, nothing is compared.

    `volume` is by what factor the rows are more, or fewer, than the median of those days. `missing`
    and `category` are differences of shares, 0 to 1, beyond what chance explains. `quantile` is by
    how much a quantile has moved, as a part of the range from the 5th to the 95th percentile.
    """

    trailing_days: int = 14
    least_days: int = 4
    least_rows: int = 100
    volume: Band = Band(2.0, 5.0)
    missing: Band = Band(0.05, 0.25)
    category: Band = Band(0.1, 0.3)
    quantile: Band = Band(0.25, 1.0)


@dataclass(frozen=True)
class Retention:
    """How many days a stream's rows are kept after their event date; None is for ever.

    `cleaned` is kept in lake and warehouse alike. A fact or rollup of several streams is kept as
    long as the stream that keeps it longest; dimensions are never removed. A record of a day that
    is gone from `cleaned` can't be known again as a duplicate.
    """

    raw_days: int | None = None
    cleaned_days: int | None = None
    quarantine_days: int | None = 90
    facts_days: int | None = None
    rollups_days: int | None = None


@dataclass(frozen=True)
class Contract:
    """What the rows of one stream must be, and where they come from.

    `key` identifies a row within its event date: the first landed wins. `event_time` names the
    field that says when a record happened; without it the record's Kafka timestamp or the
    landing date of its file counts, with the time of day of `time_of_day` where that is named.
    `critical` columns reject a record when null (the key always does). `late_after` applies to
    live records only; `future_after` to all. `warn_above` and `fail_above` are shares of a day's
    records that one rule may reject before its check warns, and fails. `lag_warn_above` and
    `lag_fail_above` are offsets that the topic may be ahead of the lake before that check does.
    `unread` are fields that the source has and nobody wants; `absent` columns that it may lack:
    neither counts as a change of its schema.
    """

    name: str
    model: type[pa.DataFrameModel]
    key: tuple[str, ...]
    formats: tuple[FileFormat, ...]
    owner: str
    topic: str = ""
    event_time: str | None = None
    time_of_day: str | None = None
    critical: tuple[str, ...] = ()
    late_after: timedelta = timedelta(days=7)
    future_after: timedelta = timedelta(minutes=5)
    max_record_bytes: int = 1 << 20
    warn_above: float = 0.0
    fail_above: float = 0.05
    lag_warn_above: int = 100_000
    lag_fail_above: int = 10_000_000
    unread: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    freshness: Freshness = Freshness()
    drift: Drift = Drift()
    retention: Retention = Retention()

    def __post_init__(self) -> None:
        """Refuse a contract that cannot work, and say why."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"contract {self.name!r}: a stream's name is snake_case")
        named = {*self.required, *self.absent, self.time_of_day} - {None}
        unknown = sorted(str(n) for n in named if n not in self.columns)
        if unknown:
            raise ValueError(
                f"contract {self.name}: {', '.join(unknown)} not among the columns of "
                f"{self.model.__name__}; correct the contract or add the column to its model"
            )
        if not 0 <= self.lag_warn_above <= self.lag_fail_above:
            raise ValueError(
                f"contract {self.name}: lag_warn_above is {self.lag_warn_above} and lag_fail_above "
                f"{self.lag_fail_above}; 0 <= lag_warn_above <= lag_fail_above must hold"
            )
        taken = sorted(RESERVED.intersection(self.columns))
        if "event_time" in self.columns and self.event_time != "event_time":
            taken.append("event_time (unless the contract names it as its event time)")
        if taken:
            raise ValueError(
                f"contract {self.name}: the platform has a use of its own for {', '.join(taken)}; "
                f"rename the column of {self.model.__name__}"
            )
        self._refuse_ambiguous_spellings()
        self._refuse_retention_shorter_than_lateness()

    def _refuse_retention_shorter_than_lateness(self) -> None:
        for layer, days in vars(self.retention).items():
            if days is not None and timedelta(days=days) <= self.late_after:
                raise ValueError(
                    f"contract {self.name}: {layer} is {days}, and records may be late by "
                    f"{self.late_after}: they would be removed as they come; keep more days, or "
                    f"lower late_after"
                )

    def _refuse_ambiguous_spellings(self) -> None:
        by_key: dict[str, str] = {}
        for column in self.source_columns:
            other = by_key.setdefault(column.match_key, column.name)
            if other != column.name:
                raise ValueError(
                    f"contract {self.name}: {other} and {column.name} are one name to a source, "
                    f"where case and underscores do not count; rename one"
                )

    @property
    def kafka_topic(self) -> str:
        """The topic of the stream: its own name unless the contract says otherwise, after the
        installation's prefix.
        """
        return os.environ.get(TOPIC_PREFIX, "") + (self.topic or self.name)

    @property
    def description(self) -> str:
        """The first paragraph of the model's docstring."""
        return " ".join((self.model.__doc__ or "").strip().split("\n\n")[0].split())

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The pandera schema from which the rules are compiled."""
        # pandera copies each check into the schema with the backends known by then.
        register_ibis_backends()
        return self.model.to_schema()

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column by name, in the model's order, derived ones included."""
        return {name: _column(name, spec) for name, spec in self.schema.columns.items()}

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """The columns a record brings; the others are derived from them."""
        return tuple(c for c in self.columns.values() if c.derive is None)

    @property
    def cleaned_columns(self) -> tuple[Column, ...]:
        """The columns of a cleaned row: the model's, and the event time."""
        columns = self.columns if "event_time" in self.columns else {**self.columns, "": EVENT_TIME}
        return tuple(columns.values())

    @property
    def required(self) -> tuple[str, ...]:
        """The columns whose absence rejects a record: the key, the critical, the event time."""
        names = (*self.key, *self.critical, *((self.event_time,) if self.event_time else ()))
        return tuple(dict.fromkeys(names))


def match_key(name: str) -> str:
    """Reduce a spelling to letters and digits, case folded: `Owns_Property` -> `ownsproperty`."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _column(name: str, spec: Any) -> Column:
    column_type = _column_type(spec.dtype.type)
    metadata = spec.metadata or {}
    return Column(
        name=name,
        type=column_type,
        description=spec.description or "",
        nullable=spec.nullable,
        default=_default(spec, column_type),
        categorical=_is_categorical(spec),
        standardize=metadata.get("standardize"),
        derive=metadata.get("derive"),
        checks=tuple(spec.checks),
    )


def _default(spec: Any, column_type: ColumnType) -> object:
    if spec.default is not None or spec.nullable:
        return spec.default
    return DEFAULTS.get(column_type)


def _is_categorical(spec: Any) -> bool:
    """Few distinct values: said so, standardized to a list, or held to one by a rule."""
    metadata = spec.metadata or {}
    return (
        metadata.get("categorical", False)
        or isinstance(metadata.get("standardize"), Spellings)
        or isinstance(metadata.get("derive"), AgeGroup)
        or any(check.name == "isin" for check in spec.checks)
    )


def _column_type(ibis_type: dt.DataType) -> ColumnType:
    if ibis_type.is_boolean():
        return "boolean"
    if ibis_type.is_integer():
        return "integer"
    if ibis_type.is_floating():
        return "number"
    if ibis_type.is_timestamp():
        return "timestamp"
    if ibis_type.is_array():
        return "strings"
    if ibis_type.is_string():
        return "string"
    raise TypeError(
        f"column type {ibis_type} is not supported in a contract; "
        "use int, float, str, bool, datetime or list[str]"
    )
