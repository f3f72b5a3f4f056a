"""What a column of a stream is: its type, its default, how its values are converted.

Belongs here: `Column`, the options that a contract's model gives to a column, and how a column is
read from its pandera schema. What a stream is belongs to `contract`; the conversion itself to
`social_assets.transform`. Imports nothing else of ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import ibis.expr.datatypes as dt
from pandera.dtypes import immutable
from pandera.engines import ibis_engine

from social_assets.contracts.pandera_private import Check

ColumnType = Literal["integer", "number", "string", "boolean", "timestamp", "strings"]

DEFAULTS: Mapping[ColumnType, object] = {
    "integer": 0,
    "number": 0.0,
    "string": "Unknown",
    "boolean": False,
}
"""The value of a missing value if the contract gives none. Timestamps and lists of strings have no
neutral value and stay null."""


@ibis_engine.Engine.register_dtype(
    equivalents=[list[str], dt.Array(dt.string), dt.Array(dt.String(nullable=True))]
)
@immutable
class Strings(ibis_engine.DataType):
    """`list[str]` as a column type; pandera's Ibis engine ships without lists."""

    type = dt.Array(dt.string)


@dataclass(frozen=True)
class Spellings:
    """Map the spellings of a value to the stored one, ignoring case and blanks.

    `canonical` holds stored value -> its other spellings. A value that is none of them becomes
    `otherwise`.
    """

    canonical: Mapping[str, tuple[str, ...]]
    otherwise: str

    def lookup(self) -> dict[str, str]:
        """Every known spelling in lower case -> the stored value."""
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


@dataclass(frozen=True)
class Numerals:
    """How people write the numbers of a column, beside plain ones.

    `thousands` separates groups of digits: `,`, `'`, `_`, or a blank (of any width). With
    `percent`, `12.5%` is 0.125. With `suffixes`, `1.2K` is 1200; `M` and `B` are a million and a
    billion.
    """

    thousands: str = ""
    percent: bool = False
    suffixes: bool = False

    def __post_init__(self) -> None:
        """Refuse a separator that could be a decimal mark or a digit."""
        if self.thousands not in ("", ",", "'", "_", " "):
            raise ValueError(
                f"Numerals: thousands is {self.thousands!r}; it can be a comma, an apostrophe, an "
                "underscore or a blank (for a decimal comma, declare the file's with CsvFormat)"
            )


Standardization = Spellings | TimeOfDay


@dataclass(frozen=True)
class HashOf:
    """Derive a key from the values of columns, where a record has no natural one: equal values
    have an equal key. The text is 32 hex digits of a SHA-256.
    """

    columns: tuple[str, ...]


@dataclass(frozen=True)
class HashOfRecord:
    """Derive a key from the bytes of the record: a record that is repeated is a duplicate."""


@dataclass(frozen=True)
class PlaceInSource:
    """Derive a key from where a record comes from: the content of its file and its number in it, or
    its topic, partition and offset. Equal records are not duplicates.
    """


Derivation = AgeGroup | HourOf | HashOf | HashOfRecord | PlaceInSource


@dataclass(frozen=True)
class Place:
    """Where a value stands in a record: a name, or a path into nested objects.

    A path is names joined by points, such as `public_metrics.like_count`; a number in it counts the
    elements of a list from 0, and `comments[].text` is of the element that the contract's `explode`
    makes a row. With a `platform`, the place counts for records of it alone.
    """

    path: str
    platform: str | None = None

    @property
    def match_key(self) -> str:
        """The form to which a name at the top of a record, or of a header, is reduced."""
        return match_key(".".join(self.steps))

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the path. An exploded record has its element alone: that of number 0."""
        return tuple(self.path.replace("[]", ".0").split("."))

    def value_in(self, record: Mapping[str, object]) -> object | None:
        """What a JSON object, or a CSV record by its header, has here; None if nothing."""
        for name, value in record.items():
            if match_key(name) == self.match_key:
                return value
        found: object = record
        for step in self.steps:
            if isinstance(found, list):
                found = found[int(step)] if step.isdigit() and int(step) < len(found) else None
            else:
                found = found.get(step) if isinstance(found, Mapping) else None
        return found


Source = str | tuple[str, ...] | Mapping[str, str | tuple[str, ...]]
"""The option `source` of a column: its place in a record; or several, of which the first one with a
value counts; or one or several for each platform.
"""

Sources = Mapping[str, Mapping[str, str | tuple[str, ...]]]
"""For each platform, where its records hold columns: a place, or several of which the first one
with a value counts.
"""


OPTIONS: Mapping[str, type | tuple[type, ...]] = {
    "categorical": bool,
    "derive": get_args(Derivation),
    "missing_if_equal_to": str,
    "null_spellings": (tuple, list),
    "numerals": Numerals,
    "renamed_from": (str, tuple, list),
    "separator": str,
    "source": (str, tuple, list, Mapping),
    "standardize": get_args(Standardization),
    "time_formats": (tuple, list),
    "time_source": (str, tuple, list, Mapping),
    "time_zone": str,
    "verbatim": bool,
}
"""The options of a column's `metadata`, with the types of their values."""


def places_of(source: Source) -> tuple[Place, ...]:
    """The places that a column's option `source` names."""
    if isinstance(source, Mapping):
        return tuple(
            Place(place.path, platform)
            for platform, of_it in source.items()
            for place in places_of(of_it)
        )
    return tuple(Place(path) for path in ((source,) if isinstance(source, str) else source))


@dataclass(frozen=True)
class Column:
    """One column of a stream, from its pandera schema.

    A null becomes `default` unless that is None. `categorical` means that there are few distinct
    values, so that a store may encode them. `time_formats` (of strptime) are read before the
    platform's own; a time without offset is of `time_zone`, and of UTC without that. `source` says
    where a record holds the value, if not under the column's name. `null_spellings` are texts that
    mean a missing value, whatever their case. `numerals` tells how its numbers are written. Where
    the time of day stands apart from the date, `time_source` names its place. `separator` stands
    between the texts of a list that is not JSON. `renamed_from` are earlier names of the column,
    under which records may still hold it. Texts of JSON are stored `verbatim`, or else without
    blanks at the ends, and an empty one is missing. So is one that equals the value of another
    column, `missing_if_equal_to`.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool
    default: object
    categorical: bool
    standardize: Standardization | None
    derive: Derivation | None
    time_formats: tuple[str, ...] = ()
    time_zone: str | None = None
    null_spellings: tuple[str, ...] = ()
    numerals: Numerals | None = None
    time_source: tuple[Place, ...] = ()
    separator: str | None = None
    checks: tuple[Check, ...] = field(default=(), repr=False, hash=False, compare=False)
    source: tuple[Place, ...] = ()
    renamed_from: tuple[str, ...] = ()
    verbatim: bool = False
    missing_if_equal_to: str | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Where a record holds the value, best first: under the column's name by default."""
        return self.source or tuple(Place(name) for name in (self.name, *self.renamed_from))

    @property
    def match_keys(self) -> tuple[str, ...]:
        """The forms of the names under which a header, or the top of a record, holds the value."""
        return tuple(dict.fromkeys(place.match_key for place in self.places))

    @property
    def clock(self) -> Column | None:
        """What a record holds at `time_source`, as a column of its own."""
        if not self.time_source:
            return None
        return replace(self, name=f"{self.name} time", source=self.time_source, time_source=())

    @property
    def is_string(self) -> bool:
        """Whether it holds a text."""
        return self.type == "string"

    @property
    def is_id(self) -> bool:
        """Whether it holds identifiers, by its name: `id`, `user_id`."""
        return self.name == "id" or self.name.endswith("_id")


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
"""The column that every cleaned row has, even if the stream's model does not name it."""


def match_key(name: str) -> str:
    """Reduce a spelling to letters and digits, case folded, without accents: `Owns_Property` ->
    `ownsproperty`, `Descripción` -> `descripcion`.
    """
    if name.isascii():
        return re.sub(r"[^a-z0-9]", "", name.casefold())
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in plain if character.isalnum())


def column_of(
    name: str,
    spec: Any,
    time_formats: tuple[str, ...] = (),
    time_zone: str | None = None,
    null_spellings: tuple[str, ...] = (),
) -> Column:
    """The column that a pandera schema declares under this name; the last three are the contract's,
    for columns that declare none.
    """
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
        time_formats=tuple(metadata.get("time_formats", time_formats)),
        time_zone=metadata.get("time_zone", time_zone),
        null_spellings=tuple(metadata.get("null_spellings", null_spellings)),
        numerals=metadata.get("numerals"),
        time_source=places_of(metadata.get("time_source", ())),
        separator=metadata.get("separator"),
        checks=tuple(spec.checks),
        source=places_of(metadata.get("source", ())),
        renamed_from=_names(metadata.get("renamed_from", ())),
        verbatim=metadata.get("verbatim", False),
        missing_if_equal_to=metadata.get("missing_if_equal_to"),
    )


def with_sources(column: Column, sources: Sources) -> Column:
    """The column with its places in the records of platforms, best first."""
    of_platforms = places_of(
        {
            platform: places[column.name]
            for platform, places in sources.items()
            if column.name in places
        }
    )
    return replace(column, source=(*of_platforms, *column.places)) if of_platforms else column


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _default(spec: Any, column_type: ColumnType) -> object:
    if spec.default is not None or spec.nullable:
        return spec.default
    return DEFAULTS.get(column_type)


def _is_categorical(spec: Any) -> bool:
    """Whether a column has few distinct values: declared, standardized to a list, or limited by a
    rule.
    """
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
