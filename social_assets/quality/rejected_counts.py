"""How many records each rule has rejected on each day: each data file of quarantine is counted
once.

Belongs here: the counts and their store. A data file of a Delta table never changes, so only new
files are read. The store is a SQLite file of this machine; without it all files are counted again.
Files that the table no longer has (rebuilt, unloaded or expired days, compaction) have no counts,
so the result is always that of the current lake. What the counts mean for a check belongs to
`defs/ingestion/rule_results`.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote

from social_assets.pipeline.stores import StreamStores

FILES_AT_ONCE = 2_000
_BUSY_SECONDS = 60.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counted (
  quarantine TEXT NOT NULL, file TEXT NOT NULL, PRIMARY KEY (quarantine, file)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected (
  quarantine TEXT NOT NULL, file TEXT NOT NULL, event_date TEXT NOT NULL, rule TEXT NOT NULL,
  records INTEGER NOT NULL, PRIMARY KEY (quarantine, file, event_date, rule)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Count:
    """Records of one data file and one event date that a rule has rejected."""

    file: str
    day: date
    rule: str
    records: int


def rejected_counts(stream: StreamStores) -> list[Count]:
    """The counts of every data file that the stream's quarantine has now."""
    uris = {_key(uri): uri for uri in stream.quarantine.files()}
    table = stream.quarantine.uri
    with _open(stream.stores.lake.locks / "rejected_counts.sqlite") as store:
        query = "SELECT file FROM counted WHERE quarantine = ?"
        counted = {row[0] for row in store.execute(query, (table,))}
        new = {key: uri for key, uri in uris.items() if key not in counted}
        _record(store, table, new, _count(stream, list(new.values())))
        _forget(store, table, counted - uris.keys())
        rows = store.execute(
            "SELECT file, event_date, rule, records FROM rejected WHERE quarantine = ?", (table,)
        ).fetchall()
    found = (Count(row[0], date.fromisoformat(row[1]), row[2], row[3]) for row in rows)
    # Another process may have counted files that this one does not know yet.
    return [
        Count(uris[each.file], each.day, each.rule, each.records)
        for each in found
        if each.file in uris
    ]


def by_rule_and_day(counts: Iterable[Count]) -> dict[tuple[str, date], int]:
    """The counts of all files together."""
    found: defaultdict[tuple[str, date], int] = defaultdict(int)
    for each in counts:
        found[each.rule, each.day] += each.records
    return dict(found)


def _count(stream: StreamStores, uris: Sequence[str]) -> list[Count]:
    found: list[Count] = []
    for begin in range(0, len(uris), FILES_AT_ONCE):
        files = list(uris[begin : begin + FILES_AT_ONCE])
        with stream.engine.session() as session:
            columns = ["reasons", "verdict", "event_date"]
            rows = session.scan(files, stream.quarantine.schema, columns, with_file=True)
            rejected = rows.filter(rows.verdict == "rejected")
            by_rule = rejected.mutate(rule=rejected.reasons.unnest()).drop("reasons", "verdict")
            grouped = by_rule.group_by("filename", "event_date", "rule").agg(n=by_rule.count())
            found += [
                Count(_key(row["filename"]), row["event_date"], row["rule"], row["n"])
                for row in session.table(grouped).to_pylist()
            ]
    return found


def _record(
    store: sqlite3.Connection, table: str, files: Mapping[str, str], counts: Iterable[Count]
) -> None:
    with store:
        # Two processes may count the same file, with the same result.
        store.executemany(
            "INSERT OR IGNORE INTO counted VALUES (?, ?)", [(table, f) for f in files]
        )
        store.executemany(
            "INSERT OR REPLACE INTO rejected VALUES (?, ?, ?, ?, ?)",
            [(table, c.file, c.day.isoformat(), c.rule, c.records) for c in counts],
        )


def _forget(store: sqlite3.Connection, table: str, files: Iterable[str]) -> None:
    keys = [(table, file) for file in files]
    with store:
        for name in ("rejected", "counted"):
            store.executemany(f"DELETE FROM {name} WHERE quarantine = ? AND file = ?", keys)


def _key(uri: str) -> str:
    """A data file within its table: the folders of its partition, and its name."""
    return "/".join(Path(unquote(uri)).parts[-3:])


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as store:
        path.chmod(0o600)
        store.executescript(_SCHEMA)
        yield store
