"""A small SQLite file in the home: what each channel was told, and which channels refuse messages.

A sensor's cursor does not suffice: Dagster stores it only after a successful tick, so a failed tick
would send all its messages again. Here each delivery is recorded in its own transaction, right
after the channel has accepted it. If the process is killed between the two, that message is sent
twice. No message is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from social_assets.alerts.active import Severity
from social_assets.alerts.changes import Changes, Told
from social_assets.alerts.channels import Channel

FIRST_BACK_OFF_SECONDS = 30.0
LONGEST_BACK_OFF_SECONDS = 900.0
_WAIT_SECONDS = 20.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
  channel TEXT NOT NULL, key TEXT NOT NULL, severity TEXT NOT NULL, title TEXT NOT NULL,
  run_id TEXT NOT NULL, told_at REAL NOT NULL, PRIMARY KEY (channel, key));
CREATE TABLE IF NOT EXISTS undelivered (
  channel TEXT PRIMARY KEY, name TEXT NOT NULL, tries INTEGER NOT NULL, error TEXT NOT NULL,
  since REAL NOT NULL, next_try REAL NOT NULL);
"""


@dataclass(frozen=True)
class Undelivered:
    """A channel that refused the last message; it is tried again at `next_try`."""

    channel: str
    name: str
    tries: int
    error: str
    since: float
    next_try: float


class Journal:
    """The journal's file. The first use creates it, readable by this user only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def told(self, channel: Channel) -> dict[str, Told]:
        """The failures that a channel was told about, and whose end it was not told."""
        with self._open() as file:
            rows = file.execute(
                "SELECT key, severity, title, run_id, told_at FROM told WHERE channel = ?"
                " ORDER BY told_at, key",
                (channel.id,),
            ).fetchall()
        return {row[0]: Told(row[0], Severity(row[1]), *row[2:]) for row in rows}

    def told_runs(self) -> list[str]:
        """The runs that any channel was told about."""
        with self._open() as file:
            rows = file.execute("SELECT DISTINCT run_id FROM told WHERE run_id != ''").fetchall()
        return [row[0] for row in rows]

    def undelivered(self) -> dict[str, Undelivered]:
        """The channels that refused the last message, by id."""
        with self._open() as file:
            rows = file.execute(
                "SELECT channel, name, tries, error, since, next_try FROM undelivered"
            ).fetchall()
        return {row[0]: Undelivered(*row) for row in rows}

    def record_delivered(self, channel: Channel, changes: Changes, now: float) -> None:
        """Record that the channel accepted these changes."""
        raised = [
            (channel.id, f.key, f.severity.value, f.title, f.run_id, now) for f in changes.raised
        ]
        with self._open() as file, file:
            file.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?)", raised)
            file.executemany(
                "DELETE FROM told WHERE channel = ? AND key = ?",
                [(channel.id, each.key) for each in changes.recovered],
            )
            file.execute("DELETE FROM undelivered WHERE channel = ?", (channel.id,))

    def record_undelivered(self, channel: Channel, error: str, now: float) -> Undelivered:
        """Record that the channel refused a message. Each failure doubles the pause."""
        before = self.undelivered().get(channel.id)
        tries = before.tries + 1 if before else 1
        pause = min(FIRST_BACK_OFF_SECONDS * 2 ** (tries - 1), LONGEST_BACK_OFF_SECONDS)
        since = before.since if before else now
        found = Undelivered(channel.id, channel.name, tries, error, since, now + pause)
        with self._open() as file, file:
            file.execute(
                "INSERT OR REPLACE INTO undelivered VALUES (?, ?, ?, ?, ?, ?)",
                (found.channel, found.name, tries, error, since, found.next_try),
            )
        return found

    def forget_others(self, channels: Collection[Channel]) -> None:
        """Delete the records of channels that the environment no longer names."""
        ids = [channel.id for channel in channels]
        marks = ", ".join("?" * len(ids))
        with self._open() as file, file:
            for table in ("told", "undelivered"):
                file.execute(f"DELETE FROM {table} WHERE channel NOT IN ({marks})", ids)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=_WAIT_SECONDS)) as file:
            self._path.chmod(0o600)
            file.executescript(_SCHEMA)
            yield file
