"""The result of a load: counts of each file.

Belongs here: counting, only for the files of one load. `cli.commands.load` prints the result.
Rejected records by rule are counted in `quality.load_result`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from social_assets.ingest.files.open_file import content_hash
from social_assets.ingest.records import FileError, shown_path
from social_assets.pipeline.files.unload_requests import batch_of
from social_assets.pipeline.stores import StreamStores


@dataclass(frozen=True)
class LoadedBefore:
    """The earlier load of a file's content: the name it had, when it was recorded, its batch, and
    the event dates of its records.
    """

    name: str
    at: datetime
    batch_id: str
    event_dates: tuple[date, ...]

    def __str__(self) -> str:
        days = self.event_dates
        to = f"{days[0]}" if len(days) == 1 else f"{len(days)} days of {days[0]} to {days[-1]}"
        when = f"{self.at:%Y-%m-%d %H:%M:%S} UTC"
        return f"loaded before as {self.name} on {when} (batch {self.batch_id}), event dates: {to}"


@dataclass(frozen=True)
class FileCounts:
    """One file of a load. `records` are those that this load has landed, and `loaded_before` those
    that an earlier one had; `error` is "" if the file could be read. `notes` are what the reader
    says of it.
    """

    file: str
    records: int
    accepted: int
    duplicates: int
    rejected: int
    loaded_before: int
    error: str
    before: LoadedBefore | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batches:
    """The files of a load by their content, and which of them had landed before it."""

    by_path: Mapping[Path, str]
    before: Collection[str]

    def new(self) -> list[str]:
        """The batches of this load."""
        return [batch for batch in dict.fromkeys(self.by_path.values()) if batch not in self.before]


def batches_of(stream: StreamStores, files: Sequence[Path], *, replace: bool = False) -> Batches:
    """The batches of some files; call this before the load."""
    by_path: dict[Path, str] = {}
    landed: set[str] = set()
    for file in files:
        try:
            batch = batch_of(stream, content_hash(file), anew=replace)
        except FileError:
            continue  # the load itself says so
        by_path[file] = batch.batch_id
        if batch.is_landed:
            landed.add(batch.batch_id)
    return Batches(by_path, frozenset(landed))


def file_counts(
    stream: StreamStores,
    files: Sequence[Path],
    batches: Batches,
    errors: Mapping[Path, str],
    notes: Mapping[str, tuple[str, ...]],
) -> list[FileCounts]:
    """The counts of each file; call this after the load. `errors` are those of unreadable files,
    `notes` those of batches.
    """
    landed: dict[str, int] = {}
    for entry in stream.ledger.entries("raw"):
        landed[entry.batch_id] = landed.get(entry.batch_id, 0) + entry.records
    cleaned: dict[str, tuple[int, int, int]] = {}
    for entry in stream.ledger.entries("cleaned"):
        accepted, duplicates, rejected = cleaned.get(entry.batch_id, (0, 0, 0))
        cleaned[entry.batch_id] = (
            accepted + entry.records,
            duplicates + entry.duplicates,
            rejected + entry.rejected,
        )
    counted: list[FileCounts] = []
    seen = set(batches.before)
    for file in files:
        batch = batches.by_path.get(file, "")
        records = landed.get(batch, 0)
        if file in errors:
            counted.append(FileCounts(shown_path(file), 0, 0, 0, 0, 0, errors[file]))
        elif batch in seen:
            before = _before(stream, batch)
            counted.append(FileCounts(shown_path(file), 0, 0, 0, 0, records, "", before))
        else:
            counts = cleaned.get(batch, (0, 0, 0))
            said = notes.get(batch, ())
            counted.append(FileCounts(shown_path(file), records, *counts, 0, "", notes=said))
        seen.add(batch)
    return counted


def _before(stream: StreamStores, batch: str) -> LoadedBefore | None:
    entries = [each for each in stream.ledger.entries("raw") if each.batch_id == batch]
    at = stream.ledger.first_recorded(batch)
    if not entries or at is None:
        return None
    days = tuple(sorted(each.event_date for each in entries))
    return LoadedBefore(entries[0].origin, at, batch, days)
