"""Writes a set of sample files: five streams, a file a day, dirty like real files.

Belongs here: the days, the files, and the count of what is in each. The streams are one module each
in `streams`.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from social_assets.demo.samples.delivery import DeliveredFile, Delivery
from social_assets.demo.samples.formats import Csv, Ndjson, Spelling
from social_assets.demo.samples.streams import community, engagement, live, posts, video
from social_assets.demo.samples.streams.stream import FileKind, SampleDay, SampleStream
from social_assets.demo.samples.world import Ints, World

STREAMS: tuple[SampleStream, ...] = (
    engagement.STREAM,
    posts.STREAM,
    video.STREAM,
    live.STREAM,
    community.STREAM,
)
_ROWS_AT_ONCE = 200_000  # bounds the memory of rendered lines
_OF_WEEKDAY = (1.0, 0.96, 0.97, 1.0, 1.06, 1.2, 1.15)


@dataclass(frozen=True)
class SampleFile:
    """One file written, and what is in it.

    `records` counts what a reader must account for: lines without blank ones and without a header,
    or rows. `dirt` has the number of records by kind. Of these `rejected` must end in quarantine
    and `duplicates` are second copies of a good record of the same event date, in this file or an
    earlier one; the rest is clean once it is spelled right. `date` is the event date of the file,
    for streams whose records do not tell it.
    """

    stream: str
    path: Path
    records: int
    dirt: Mapping[str, int]
    rejected: int
    duplicates: int
    date: date | None


def generate(
    folder: Path,
    *,
    events: int = 1_000_000,
    days: int = 14,
    end: date,
    seed: int = 7,
    most_rejected: float = 1.0,
) -> list[SampleFile]:
    """Write sample files of all streams for the `days` up to and including `end`.

    `events` counts the distinct engagement events; the other streams scale with it (1 in 25 video
    interactions, 1 in 50 live, 1 in 50 community, 1 in 200 posts). Files go to `<folder>/<stream>/`
    and replace those of the same name. At most the share `most_rejected` of a day's records has an
    error for which its contract rejects it. The same arguments give the same bytes. Memory is
    bounded by a day. Raises ValueError for fewer than 1 event or day.
    """
    if events < 1 or days < 1:
        raise ValueError(f"events is {events} and days is {days}: both must be 1 or more")
    world = World.of(events, days, seed)
    first = end - timedelta(days=days - 1)
    weights = [_OF_WEEKDAY[(first + timedelta(days=d)).weekday()] for d in range(days)]
    edges = [0, *np.rint(np.cumsum(weights) / sum(weights) * events).astype(int).tolist()]
    deliveries = {s.name: Delivery(days, s.carries_time) for s in STREAMS}
    written = []
    for number in range(days):
        for place, stream in enumerate(STREAMS):
            day = SampleDay(
                world=world,
                number=number,
                date=first + timedelta(days=number),
                events=range(edges[number], edges[number + 1]),
                rng=np.random.default_rng([seed, 1, number, place]),
            )
            file = _write_day(folder, stream, day, deliveries[stream.name], most_rejected)
            written += [file] if file else []
    return written


def _write_day(
    folder: Path, stream: SampleStream, day: SampleDay, delivery: Delivery, most_rejected: float
) -> SampleFile | None:
    """Write the file of a stream and day; None, and no file, if nothing happened."""
    kind = stream.kinds[day.number % len(stream.kinds)]
    table = stream.records(day)
    marks = kind.flaws.draw(table.num_rows, day.rng, most_rejected)
    arrived = delivery.of_day(day.number, table, marks, kind.flaws.none, day.rng)
    if arrived.table.num_rows == 0:
        return None
    path = folder / stream.name / f"{stream.name}_{day.date}.{kind.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind.suffix == "parquet":
        _write_parquet(path, kind, arrived, day.rng)
    else:
        _write_text(path, kind, arrived, day.rng)
    return _account(path, stream, kind, arrived, day.date)


def _account(
    path: Path, stream: SampleStream, kind: FileKind, arrived: DeliveredFile, of: date
) -> SampleFile:
    dirt: Counter[str] = Counter()
    rejected = 0
    for flaw, n in kind.flaws.counts(arrived.marks):
        dirt[flaw.kind] += n
        rejected += n if flaw.rejects else 0
    records = arrived.table.num_rows
    columns_respelled = kind.spellings != (Spelling.SNAKE,)
    dirt += Counter(
        late=arrived.late,
        duplicate=arrived.copies,
        column_spelling=records if columns_respelled else 0,
    )
    return SampleFile(
        stream=stream.name,
        path=path,
        records=records,
        dirt=dict(sorted(dirt.items())),
        rejected=rejected,
        duplicates=arrived.copies,
        date=None if stream.carries_time else of,
    )


def _write_parquet(
    path: Path, kind: FileKind, arrived: DeliveredFile, rng: np.random.Generator
) -> None:
    table = kind.flaws.into_table(arrived.table, arrived.marks, rng)
    names = kind.names(table.column_names)
    pq.write_table(table.rename_columns(list(names.values())), path, compression="zstd")


def _write_text(
    path: Path, kind: FileKind, arrived: DeliveredFile, rng: np.random.Generator
) -> None:
    text = Csv() if kind.suffix == "csv" else Ndjson()
    names = kind.names(arrived.table.column_names)
    with _opened(path) as file:
        file.write(text.header(list(names.values())))
        for start in range(0, arrived.table.num_rows, _ROWS_AT_ONCE):
            rows = arrived.table.slice(start, _ROWS_AT_ONCE)
            marks: Ints = arrived.marks[start : start + _ROWS_AT_ONCE]
            fields = {name: text.column(rows.column(name).combine_chunks()) for name in names}
            file.write(_bytes(kind.flaws.into_lines(text, names, fields, marks, rng)))


def _bytes(lines: Any) -> memoryview:
    """All lines of a binary array, end to end, without a copy."""
    array = lines.combine_chunks() if isinstance(lines, pa.ChunkedArray) else lines
    offsets = np.frombuffer(array.buffers()[1], np.int32)
    first, last = offsets[array.offset], offsets[array.offset + len(array)]
    return memoryview(array.buffers()[2])[first:last]


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open the file, compressed if its name says so, without a time stamp."""
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
            yield cast(BinaryIO, packed)
