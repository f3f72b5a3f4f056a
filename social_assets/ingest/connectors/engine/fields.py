"""Counts fields that an endpoint has not sent before: a platform has changed its answers.

Belongs here: names of fields and since when each is known, in a file of the home. A new field is
counted and told, never refused. The first page of an endpoint makes what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from resources.settings.home import Home
from social_assets.ingest.connectors.engine.shared_file import SharedFile

_DEEPEST = 4
_MOST_FIELDS = 1000
"""Of one endpoint. Keys that are data (an id for each person) must not fill the file."""
_TABLE = """
CREATE TABLE IF NOT EXISTS fields (
  platform TEXT NOT NULL, endpoint TEXT NOT NULL, field TEXT NOT NULL, since TEXT NOT NULL,
  is_drift INTEGER NOT NULL, records INTEGER NOT NULL,
  PRIMARY KEY (platform, endpoint, field))
"""


@dataclass(frozen=True)
class NewField:
    """A field that came later than the first page of its endpoint."""

    platform: str
    endpoint: str
    field: str
    since: datetime
    records: int
    """In how many records it was when it was seen first."""


class SeenFields:
    """The fields that were seen in a home."""

    def __init__(self, home: Home) -> None:
        self._file = SharedFile(home, "fields.db", _TABLE)
        self._known: dict[tuple[str, str], set[str]] = {}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def note(self, platform: str, endpoint: str, records: Iterable[object]) -> list[str]:
        """Add the fields of a page; returns what is new, for the notes of a chain."""
        named = (set(fields_of(record)) for record in records)
        counts = Counter(_storable(name) for names in named for name in names)
        known = self._known_of(platform, endpoint)
        new = sorted(set(counts) - known)[: max(0, _MOST_FIELDS - len(known))]
        if not new:
            return []
        is_drift = bool(known)
        at = datetime.now(UTC).isoformat()
        with self._file.writing() as sql:
            sql.executemany(
                "INSERT OR IGNORE INTO fields VALUES (?, ?, ?, ?, ?, ?)",
                [(platform, endpoint, name, at, is_drift, counts[name]) for name in new],
            )
        known.update(new)
        if not is_drift:
            return []
        return [f"field {name} never seen before, in {counts[name]} records" for name in new]

    def drift(self) -> list[NewField]:
        """Every field that came later, newest first."""
        with self._file.reading() as sql:
            rows = sql.execute(
                "SELECT platform, endpoint, field, since, records FROM fields WHERE is_drift"
                " ORDER BY since DESC, platform, endpoint, field"
            ).fetchall()
        return [
            NewField(row[0], row[1], row[2], datetime.fromisoformat(row[3]), row[4]) for row in rows
        ]

    def _known_of(self, platform: str, endpoint: str) -> set[str]:
        key = (platform, endpoint)
        if not self._known.get(key):
            with self._file.reading() as sql:
                rows = sql.execute(
                    "SELECT field FROM fields WHERE platform = ? AND endpoint = ?", key
                )
                self._known[key] = {row[0] for row in rows}
        return self._known[key]


def _storable(name: str) -> str:
    """A name that has an encoding: JSON can hold half of a surrogate pair."""
    return name.encode(errors="backslashreplace").decode()


def fields_of(value: object, prefix: str = "", depth: int = 1) -> Iterator[str]:
    """The names of a record's fields, in the form `public_metrics.like_count`, `data[].name`."""
    if isinstance(value, list):
        for element in value:
            yield from fields_of(element, f"{prefix}[]", depth)
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = f"{prefix}.{key}" if prefix else str(key)
            yield name
            if depth < _DEEPEST:
                yield from fields_of(inner, name, depth + 1)
