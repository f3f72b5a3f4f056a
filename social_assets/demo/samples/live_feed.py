"""Live records of all streams, dirty like real ones: a few at a time, created now.

Belongs here: the records as message values, and how many of them a consumer must accept. Flaws,
tastes and spellings are those of the sample files. The caller decides where and how fast to send
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from social_assets.demo.samples.flaws import Flaws
from social_assets.demo.samples.formats import Ndjson
from social_assets.demo.samples.sample_set import STREAMS
from social_assets.demo.samples.streams.stream import FileKind, SampleDay, SampleStream
from social_assets.demo.samples.world import World

SHARES: Mapping[str, float] = {
    "engagement_events": 200 / 217,
    "video_interactions": 8 / 217,
    "live_streaming": 4 / 217,
    "community_interactions": 4 / 217,
    "posts": 1 / 217,
}
"""The share of each stream in all records, as in the sample files."""

_KEYS = {"engagement_events": "account_id"}
_WORLD_EVENTS = 1_000_000
_AT_ONCE = 20_000  # engagement events' worth of records that are made up together
_TWICE = 0.003  # of flawless records: sent a second time
_LATE = 0.01  # of records: created some time ago
_LONGEST_LATE_SECONDS = 240
_EVENTS_A_MILLISECOND = 5_000  # of which one in fifty is a live event with a number of its own


@dataclass(frozen=True)
class Messages:
    """Some records of one stream, as a broker takes them.

    `accepted` is how many of them a consumer must accept. For `engagement_events` this is exact,
    because the keys are unique. In other streams a few keys are repeated by chance.
    """

    values: list[bytes]
    keys: list[bytes | None]
    accepted: int


class LiveFeed:
    """Generates records of all streams. Two feeds that begin a second apart share no ids."""

    def __init__(self, begun: datetime | None = None) -> None:
        """`begun` determines ids and values; default now."""
        self._begun = begun or datetime.now(UTC)
        milliseconds = int(self._begun.timestamp() * 1000)
        world = World.of(_WORLD_EVENTS, 1, milliseconds)
        self._streams = {
            stream.name: _Made(
                stream, world, self._begun, np.random.default_rng([place, milliseconds])
            )
            for place, stream in enumerate(STREAMS)
        }

    def take(self, stream: str, records: int, now: datetime) -> Messages:
        """The next records of a stream, created `now`, and copies of some earlier ones."""
        return self._streams[stream].take(records, now)


@dataclass
class _Made:
    """One stream: generated records in stock, and those of the last ones to repeat."""

    stream: SampleStream
    world: World
    begun: datetime
    rng: np.random.Generator
    _events: int = 0
    _stock: Any = None
    _again: Messages = field(default_factory=lambda: Messages([], [], 0))

    def take(self, records: int, now: datetime) -> Messages:
        kind = _as_lines(self.stream)
        table = self._created(self._from_stock(records), now)
        marks = kind.flaws.draw(table.num_rows, self.rng)
        values = _lines(kind, table, marks, self.rng)
        keys = _keys(self.stream.name, table)
        accepted = int(np.count_nonzero(~_rejects(kind.flaws)[marks]))
        twice = np.flatnonzero((marks == kind.flaws.none) & (self.rng.random(len(marks)) < _TWICE))
        copies = self._again
        self._again = Messages([values[i] for i in twice], [keys[i] for i in twice], 0)
        return Messages(values + copies.values, keys + copies.keys, accepted)

    def _from_stock(self, records: int) -> Any:
        parts, missing = [], records
        while missing:
            if self._stock is None or not self._stock.num_rows:
                self._stock = self._made_up()
            parts.append(self._stock.slice(0, missing))
            self._stock = self._stock.slice(parts[-1].num_rows)
            missing -= parts[-1].num_rows
        return pa.concat_tables(parts).combine_chunks()

    def _made_up(self) -> Any:
        first = int(self.begun.timestamp() * 1000) * _EVENTS_A_MILLISECOND + self._events
        self._events += _AT_ONCE
        day = SampleDay(self.world, 0, self.begun.date(), range(first, first + _AT_ONCE), self.rng)
        table = self.stream.records(day)
        # Shuffled: here, a day's records come within minutes.
        table = _plain(table).take(pa.array(self.rng.permutation(table.num_rows)))
        if "post_id" not in table.column_names:
            return table
        own = pa.scalar(f"{self.begun:%m%d%H%M%S}-")
        posts = pc.binary_join_element_wise(own, table["post_id"], "")
        return table.set_column(table.column_names.index("post_id"), "post_id", posts)

    def _created(self, table: Any, now: datetime) -> Any:
        """The records with the current time, except for a few that are late."""
        n = table.num_rows
        late = np.where(
            self.rng.random(n) < _LATE, self.rng.integers(1, _LONGEST_LATE_SECONDS, n), 0
        )
        second = pa.array(int(now.timestamp()) - late).cast(pa.timestamp("s", "UTC"))
        for place, column in enumerate(table.schema):
            if pa.types.is_timestamp(column.type):
                table = table.set_column(place, column.name, second)
        return table


def _plain(table: Any) -> Any:
    """Without dictionaries, which would be rendered completely for every few records."""
    types = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def _as_lines(stream: SampleStream) -> FileKind:
    """The stream's spelling as JSON: that of its files of lines, if it has any."""
    kind = next((k for k in stream.kinds if k.suffix == "ndjson"), stream.kinds[0])
    return FileKind("ndjson", kind.spellings, kind.flaws)


def _lines(
    kind: FileKind, table: Any, marks: NDArray[np.int64], rng: np.random.Generator
) -> list[bytes]:
    text = Ndjson()
    names = kind.names(table.column_names)
    fields = {name: text.column(table.column(name).combine_chunks()) for name in names}
    lines = kind.flaws.into_lines(text, names, fields, marks, rng)
    return [line.rstrip(b"\n") for line in lines.to_pylist()]


def _keys(stream: str, table: Any) -> list[bytes | None]:
    """The keys, which determine the partition: the records of an account stay in order."""
    if stream not in _KEYS:
        return [None] * table.num_rows
    keys: list[bytes | None] = table[_KEYS[stream]].cast(pa.string()).cast(pa.binary()).to_pylist()
    return keys


def _rejects(flaws: Flaws) -> NDArray[np.bool_]:
    """For each flaw's number, and `none` at the end: whether it rejects the record."""
    return np.array([*(flaw.rejects for flaw in flaws.flaws), False])
