"""The result of a load: counts of each file, and rejected records by rule and day.

Belongs here: counting, only for the files of one load. `cli.commands.load` prints the result.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import ibis

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.csv_format import CsvDialect, dialect_and_header
from social_assets.ingest.files.open_file import content_hash
from social_assets.ingest.records import FileError
from social_assets.pipeline.files.unload_requests import batch_of
from social_assets.pipeline.stores import StreamStores

SHOWN_CHARACTERS = 40
MOST_EXAMPLES = 200


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
    that an earlier one had; `error` is "" if the file could be read.
    """

    file: str
    records: int
    accepted: int
    duplicates: int
    rejected: int
    loaded_before: int
    error: str
    before: LoadedBefore | None = None


@dataclass(frozen=True)
class Rejected:
    """Records of one event date that one rule rejected, and the first one's value."""

    event_date: date
    rule: str
    records: int
    example: str
    origin: str
    row: int


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
    stream: StreamStores, files: Sequence[Path], batches: Batches, errors: Mapping[Path, str]
) -> list[FileCounts]:
    """The counts of each file; call this after the load. `errors` are those of unreadable files."""
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
            counted.append(FileCounts(str(file), 0, 0, 0, 0, 0, errors[file]))
        elif batch in seen:
            before = _before(stream, batch)
            counted.append(FileCounts(str(file), 0, 0, 0, 0, records, "", before))
        else:
            counts = cleaned.get(batch, (0, 0, 0))
            counted.append(FileCounts(str(file), records, *counts, loaded_before=0, error=""))
        seen.add(batch)
    return counted


def _before(stream: StreamStores, batch: str) -> LoadedBefore | None:
    entries = [each for each in stream.ledger.entries("raw") if each.batch_id == batch]
    at = stream.ledger.first_recorded(batch)
    if not entries or at is None:
        return None
    days = tuple(sorted(each.event_date for each in entries))
    return LoadedBefore(entries[0].origin, at, batch, days)


def rejected_by_rule(stream: StreamStores, batches: Sequence[str]) -> list[Rejected]:
    """The rejected records of these batches, by event date and rule, most records first."""
    days = stream.quarantine.rows_by_day(verdict="rejected")
    touched = set().union(*(stream.ledger.days("raw").get(batch, set()) for batch in batches))
    listed = sorted(touched & {day for day, rows in days.items() if rows})
    if not listed:
        return []
    columns = ["batch_id", "event_date", "origin", "offset", "reasons", "verdict"]
    with stream.engine.session() as session:
        files = stream.quarantine.files(listed)
        rows = session.scan(files, stream.quarantine.schema, [*columns, "value", "csv_header"])
        rows = rows.filter(rows.verdict == "rejected", rows.batch_id.isin(list(batches)))
        placed = rows.mutate(
            place=ibis.literal("").concat(
                rows.batch_id, ":", rows.offset.cast("string").lpad(20, "0")
            )
        )
        by_rule = placed.mutate(rule=placed.reasons.unnest())
        grouped = by_rule.group_by("event_date", "rule").agg(
            n=by_rule.count(), first=by_rule.place.min()
        )
        counts = session.table(grouped).to_pylist()
        counts.sort(key=lambda row: (-row["n"], row["event_date"], row["rule"]))
        shown = list(dict.fromkeys(row["first"] for row in counts[:MOST_EXAMPLES]))
        examples = placed.filter(placed.place.isin(shown)).select(
            "place", "origin", "offset", "value", "csv_header"
        )
        first = {row["place"]: row for row in session.table(examples).to_pylist()}
    empty = {"value": b"", "csv_header": None, "origin": "", "offset": 0}
    found = []
    for row in counts:
        record = first.get(row["first"], empty)
        found.append(
            Rejected(
                event_date=row["event_date"],
                rule=row["rule"],
                records=row["n"],
                example=example(
                    stream.contract, row["rule"], record["value"] or b"", record["csv_header"]
                ),
                origin=record["origin"],
                row=record["offset"],
            )
        )
    return found


def example(contract: Contract, rule: str, value: bytes, csv_header: str | None) -> str:
    """The value of the rule's column, or the beginning of the record."""
    dialect, header = dialect_and_header(csv_header or "")
    text = value.decode(dialect.encoding, "backslashreplace")
    fields = _fields(text, dialect, header)
    columns = [c for c in contract.columns.values() if rule.startswith(f"{c.name}_")]
    if rule.startswith("event_time_") and contract.event_time:
        columns = [c for c in contract.columns.values() if c.name == contract.event_time]
    if fields is not None and columns:
        column = max(columns, key=lambda c: len(c.name))
        shown = next((fields[key] for key in column.match_keys if key in fields), None)
        return "(none)" if shown is None else _short(str(shown))
    return _short(text)


def _fields(text: str, dialect: CsvDialect, header: str) -> dict[str, object] | None:
    try:
        if header:
            named = zip(dialect.fields(header), dialect.fields(text), strict=False)
            return {match_key(name): value for name, value in named}
        record = json.loads(text)
    except (ValueError, csv.Error, RecursionError):
        return None  # a record that can't be opened is shown as it begins
    return {match_key(n): v for n, v in record.items()} if isinstance(record, dict) else None


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
