"""The types that declare a stream: `Contract` and its parts.

Belongs here: what a contract module uses to say what its rows must be, and what follows from such a
declaration. Not here: columns and their options (`column`), executing rules
(`social_assets.transform`), storing tables (`social_assets.lake`, `social_assets.warehouse`), the
streams themselves (one module each in this folder). Imports nothing else of ours.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal, Self

import pandera.ibis as pa

from social_assets.contracts.column import (
    EVENT_TIME,
    AgeGroup,
    Column,
    HashOf,
    HashOfRecord,
    HourOf,
    Numerals,
    PlaceInSource,
    Sources,
    Spellings,
    TimeOfDay,
    column_of,
    with_sources,
)
from social_assets.contracts.options.change_capture import (
    CHANGED_AT,
    OP,
    POSITION,
    URL_VARIABLE,
    ChangeCapture,
    RowChange,
)
from social_assets.contracts.options.csv_format import DETECTED, CsvFormat
from social_assets.contracts.options.explode import Explode
from social_assets.contracts.options.media import Media
from social_assets.contracts.pandera_private import register_ibis_backends
from social_assets.contracts.refusals.refuse import refuse_unusable

__all__ = [
    "AgeGroup",
    "RowChange",
    "ChangeCapture",
    "Contract",
    "CsvFormat",
    "Explode",
    "HashOf",
    "HashOfRecord",
    "HourOf",
    "Media",
    "Numerals",
    "PlaceInSource",
    "Spellings",
    "TimeOfDay",
]
"""What a contract module imports from here."""

FileFormat = Literal["csv", "ndjson", "parquet"]

TOPIC_PREFIX = "SOCIAL_ASSETS_KAFKA_TOPIC_PREFIX"
"""Environment variable: a prefix of all topic names, for installations that share a cluster.
Default: none."""


@dataclass(frozen=True)
class Freshness:
    """When a stream is stale: the time since its newest day with rows ended.

    A daily file of a day arrives after the day is over, and the next one arrives a day later. Hence
    the limits are above 24 hours. A stream without any rows is stale, unless it `may_be_empty`.
    """

    warn_after: timedelta = timedelta(hours=30)
    fail_after: timedelta = timedelta(hours=54)
    may_be_empty: bool = False


@dataclass(frozen=True)
class Band:
    """Limits of a change: it passes up to `warn_above`, warns above it, and fails above
    `fail_above`.
    """

    warn_above: float
    fail_above: float


@dataclass(frozen=True)
class Drift:
    """How far a day's rows may differ from those of the days before it.

    A day is compared with up to `trailing_days` days before it. Nothing is compared with fewer than
    `least_days` of them; shares and quantiles are not compared with fewer than `least_rows` rows on
    the day.

    `volume` is the factor between the day's rows and the median of those days. `missing` and
    `category` are differences of shares, 0 to 1, beyond what chance explains. `quantile` is the
    change of a quantile, as a part of the range from the 5th to the 95th percentile.
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
    """How many days a stream's rows are kept after their event date; None means for ever.

    `cleaned` applies to lake and warehouse. A fact or rollup of several streams is kept as long as
    the stream with the longest time; dimensions are never removed. If a day is gone from `cleaned`,
    a repeated record of that day is not recognized as a duplicate.
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
    field with the time of a record. Without it, the record's Kafka timestamp or the landing date of
    its file counts, with the time of day of `time_of_day` if that is named. `time_formats`,
    `time_zone` and `null_spellings` are those of all columns that declare none. `critical` columns
    reject a record if they are null (the key always does). `persons` are the columns with a
    platform's id of a person, who can ask to be forgotten. `late_after` applies to live records
    only, `future_after` to all. `warn_above` and `fail_above` are shares of a day's records that
    one rule may reject before its check warns or fails. `lag_warn_above` and `lag_fail_above` are
    the offsets that the topic may be ahead of the lake before that check warns or fails. `csv`
    declares the dialect of CSV files, and `records_at` the path of the array that holds the records
    of a JSON document; what they leave out is detected for each file. `explode` names an array
    within a record of which each element is a row. `sources` says for the records of a platform
    where they hold a column: it comes before the column's own place. `unread` are fields of the
    source that are ignored, `absent` columns that it may lack: neither counts as a change of its
    schema. `media` names a column with addresses of pictures, which are fetched and kept. `capture`
    makes the stream one of changes, by `of_changes`.
    """

    name: str
    model: type[pa.DataFrameModel]
    key: tuple[str, ...]
    formats: tuple[FileFormat, ...]
    owner: str
    topic: str = ""
    csv: CsvFormat = DETECTED
    records_at: str | None = None
    explode: Explode | None = None
    sources: Sources = field(default_factory=dict, hash=False)
    event_time: str | None = None
    time_of_day: str | None = None
    time_formats: tuple[str, ...] = ()
    time_zone: str | None = None
    null_spellings: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
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
    media: Media | None = None
    capture: ChangeCapture | None = None

    @classmethod
    def of_changes(
        cls,
        name: str,
        *,
        model: type[RowChange],
        table: str,
        primary_key: tuple[str, ...],
        url_variable: str = URL_VARIABLE,
        slot: str = "",
        topic: str = "",
        **options: Any,
    ) -> Self:
        """A contract of the kind *changes*: each row is a change of a row of `table`.

        `table` is `schema.table` and `primary_key` the columns of its primary key; they, and the
        position in the database's log, are the stream's key. The topic is the one to which
        Debezium's connector writes: `<name>.<schema>.<table>`. For the rest see `ChangeCapture`;
        `options` are further options of a contract. A table that nobody changes is not stale,
        unless `freshness` says so.
        """
        never = Freshness(timedelta(days=3650), timedelta(days=3651))
        return cls(
            name=name,
            model=model,
            key=(*primary_key, POSITION),
            event_time=CHANGED_AT,
            critical=(OP,),
            formats=("ndjson",),
            topic=topic or f"{name}.{table}",
            capture=ChangeCapture(table, primary_key, url_variable, slot),
            **{"freshness": never, **options},
        )

    def __post_init__(self) -> None:
        """Raise RefusedError for a contract that cannot work: the column, reason and remedy."""
        refuse_unusable(self)

    @property
    def kafka_topic(self) -> str:
        """The stream's topic: the installation's prefix and the stream's name, unless the contract
        names another one.
        """
        return os.environ.get(TOPIC_PREFIX, "") + (self.topic or self.name)

    @property
    def description(self) -> str:
        """The first paragraph of the model's docstring."""
        return " ".join((self.model.__doc__ or "").strip().split("\n\n")[0].split())

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The pandera schema from which the rules are compiled."""
        # pandera copies each check into the schema, with the backends that are registered by then.
        register_ibis_backends()
        return self.model.to_schema()

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column by name, in the model's order, derived ones included."""
        return {
            name: self._as_stored(
                with_sources(
                    column_of(name, spec, self.time_formats, self.time_zone, self.null_spellings),
                    self.sources,
                )
            )
            for name, spec in self.schema.columns.items()
        }

    def _as_stored(self, column: Column) -> Column:
        """Of a database's table, the texts as they are there: blanks and empty texts are values."""
        is_text = column.is_string and column.standardize is None and column.derive is None
        return replace(column, verbatim=True) if self.capture and is_text else column

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """The columns that a record has; the others are derived from them."""
        return tuple(c for c in self.columns.values() if c.derive is None)

    @property
    def read_columns(self) -> tuple[Column, ...]:
        """What is read from a record: its columns, and times of day that stand apart."""
        clocks = (column.clock for column in self.source_columns)
        return (*self.source_columns, *(clock for clock in clocks if clock is not None))

    @cached_property
    def named_columns(self) -> dict[str, tuple[str, ...]]:
        """The match key of a name in a header, or at the top of a record -> its columns."""
        found: dict[str, list[str]] = {}
        for column in self.source_columns:
            apart = column.clock.match_keys if column.clock else ()
            for key in dict.fromkeys((*column.match_keys, *apart)):
                found.setdefault(key, []).append(column.name)
        return {key: tuple(names) for key, names in found.items()}

    @property
    def cleaned_columns(self) -> tuple[Column, ...]:
        """The columns of a cleaned row: the model's, and the event time."""
        columns = self.columns if "event_time" in self.columns else {**self.columns, "": EVENT_TIME}
        return tuple(columns.values())

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that reject a record if they are missing: the key, critical columns, event
        time. A derived column is never missing.
        """
        names = (*self.key, *self.critical, *((self.event_time,) if self.event_time else ()))
        derived = {column.name for column in self.columns.values() if column.derive}
        return tuple(name for name in dict.fromkeys(names) if name not in derived)
