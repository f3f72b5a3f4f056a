"""Counts the calls of all processes of a home against the limits of platforms.

Belongs here: one SQLite file with short transactions, which outlives processes. A call is reserved
before it is made, and counts until its window is over, counted from the end of the call: so two
calls that a server sees within a window are never more than a limit, whatever the network does.
What a limit is belongs to `limits`; what headers say, to `usage`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from resources.settings.home import Home
from social_assets.ingest.connectors.declaration.limits import RateWindow, Rolling
from social_assets.ingest.connectors.engine.shared_file import SharedFile

LEASE_SECONDS = 180.0
"""A reservation of a process that was killed counts so long, and its window."""

THROTTLED, QUOTA, QUOTA_WITHOUT_END = "throttled", "quota", "quota without end"
"""Kinds of blocks."""
QUOTAS = (QUOTA, QUOTA_WITHOUT_END)

_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
  id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, cost REAL NOT NULL,
  expires REAL NOT NULL, outside INTEGER NOT NULL DEFAULT 0, in_flight INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS calls_of_bucket ON calls (bucket, expires);
CREATE TABLE IF NOT EXISTS spent (
  bucket TEXT NOT NULL, period REAL NOT NULL, used REAL NOT NULL, PRIMARY KEY (bucket, period));
CREATE TABLE IF NOT EXISTS buckets (
  bucket TEXT PRIMARY KEY, blocked_until REAL, reason TEXT, strikes INTEGER NOT NULL DEFAULT 0,
  most REAL);
"""


@dataclass(frozen=True)
class Charge:
    """What a call costs of one bucket. `most` is the limit that is declared."""

    bucket: str
    most: float
    window: RateWindow
    cost: float
    is_money: bool = False


@dataclass(frozen=True)
class Reservation:
    """A call that may be made now; give it back by `Budgets.finish`."""

    rows: tuple[int, ...]
    charges: tuple[Charge, ...]
    at: float


@dataclass(frozen=True)
class NoRoom:
    """A call that may not be made before `until`, and the bucket that is full or blocked."""

    until: float
    bucket: str
    reason: str
    is_quota: bool
    has_end: bool = True
    """Whether a quota is known to begin anew."""


class Budgets:
    """The budgets of a home."""

    def __init__(self, home: Home, clock: Callable[[], datetime] | None = None) -> None:
        self._clock = clock or (lambda: datetime.now(UTC))
        self._file = SharedFile(home, "budgets.db", _TABLES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def reserve(self, charges: Sequence[Charge], blocks: Sequence[str]) -> Reservation | NoRoom:
        """Reserve a call of all buckets at once, unless one is full or one of `blocks` blocked."""
        with self._transaction() as (sql, at):
            for bucket in blocks:
                until, reason = self._blocked(sql, bucket)
                if until > at:
                    kind, _, told = reason.partition(": ")
                    return NoRoom(until, bucket, told, kind in QUOTAS, kind != QUOTA_WITHOUT_END)
            for charge in charges:
                refused = self._refused(sql, charge, at)
                if refused is not None:
                    return refused
            rows = [self._take(sql, charge, at) for charge in charges]
        return Reservation(tuple(rows), tuple(charges), at)

    def finish(self, reservation: Reservation, cost: float | None = None) -> None:
        """The call has ended. `cost` is what it really cost of the buckets of money."""
        with self._transaction() as (sql, at):
            for row, charge in zip(reservation.rows, reservation.charges, strict=True):
                if isinstance(charge.window, Rolling):
                    # Its lease may be over: then its row is gone, and it counts all the same.
                    sql.execute(
                        "INSERT INTO calls (id, bucket, cost, expires) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT (id) DO UPDATE SET"
                        " expires = excluded.expires, in_flight = 0",
                        (row, charge.bucket, charge.cost, at + charge.window.seconds),
                    )
                    continue
                actual = charge.cost if cost is None or not charge.is_money else cost
                then, later = (_period(charge.window, when) for when in (reservation.at, at))
                self._spend(sql, charge.bucket, then, actual - charge.cost)
                if later != then:
                    # The platform may count it to either day.
                    self._spend(sql, charge.bucket, later, actual)

    def block(self, bucket: str, seconds: Callable[[int], float], kind: str, told: str) -> float:
        """Block a bucket; `seconds` may depend on how often it was blocked in succession.

        Returns until when.
        """
        with self._transaction() as (sql, at):
            row = sql.execute(
                "SELECT strikes, blocked_until FROM buckets WHERE bucket = ?", (bucket,)
            ).fetchone()
            strikes, before = (row[0], row[1] or 0.0) if row else (0, 0.0)
            wait = seconds(strikes)
            # Of several calls at once, all of which were refused, one counts.
            strikes, until = strikes + (before <= at), max(at + wait, before)
            sql.execute(
                "INSERT INTO buckets (bucket, blocked_until, reason, strikes) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (bucket) DO UPDATE SET blocked_until = excluded.blocked_until,"
                " reason = excluded.reason, strikes = excluded.strikes",
                (bucket, until, f"{kind}: {told}", strikes),
            )
        return until

    def answered(self, blocks: Sequence[str]) -> None:
        """A good answer: the next block of these buckets is short again."""
        marks = ", ".join("?" * len(blocks))
        with self._file.reading() as sql:
            found = sql.execute(
                f"SELECT 1 FROM buckets WHERE strikes > 0 AND bucket IN ({marks})", tuple(blocks)
            ).fetchone()
        if found:
            with self._transaction() as (sql, _):
                sql.execute(
                    f"UPDATE buckets SET strikes = 0 WHERE bucket IN ({marks})", tuple(blocks)
                )

    def correct(self, charge: Charge, used: float, seconds: float, most: float | None) -> None:
        """Correct a sliding bucket by what the platform says is used of it.

        What is more than our own calls is counted as made by others, for so many `seconds`. `most`
        is the limit that the platform states.
        """
        with self._transaction() as (sql, at):
            own = sql.execute(
                "SELECT COALESCE(SUM(cost), 0) FROM calls"
                " WHERE bucket = ? AND expires > ? AND outside = 0",
                (charge.bucket, at),
            ).fetchone()[0]
            sql.execute("DELETE FROM calls WHERE bucket = ? AND outside = 1", (charge.bucket,))
            if used > own:
                sql.execute(
                    "INSERT INTO calls (bucket, cost, expires, outside) VALUES (?, ?, ?, 1)",
                    (charge.bucket, used - own, at + seconds),
                )
            if most is not None:
                sql.execute(
                    "INSERT INTO buckets (bucket, most) VALUES (?, ?)"
                    " ON CONFLICT (bucket) DO UPDATE SET most = excluded.most",
                    (charge.bucket, most),
                )

    def used(self, charge: Charge) -> tuple[float, float]:
        """How much of a bucket is used now, and of how much."""
        with self._transaction() as (sql, at):
            return self._used(sql, charge, at), self._most(sql, charge)

    def known(self) -> frozenset[str]:
        """The names of all buckets that anything was counted in, or that were blocked."""
        with self._file.reading() as sql:
            rows = sql.execute(
                "SELECT bucket FROM calls UNION SELECT bucket FROM spent"
                " UNION SELECT bucket FROM buckets"
            )
            return frozenset(row[0] for row in rows)

    def blocked_until(self, bucket: str) -> datetime | None:
        """Until when a bucket is blocked; None if it is not."""
        with self._transaction() as (sql, at):
            until, _ = self._blocked(sql, bucket)
        return datetime.fromtimestamp(until, UTC) if until > at else None

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, float]]:
        with self._file.writing() as sql:
            # The time is read within the transaction: it is that of the order of calls.
            yield sql, self._clock().timestamp()

    def _blocked(self, sql: sqlite3.Connection, bucket: str) -> tuple[float, str]:
        row = sql.execute(
            "SELECT blocked_until, reason FROM buckets WHERE bucket = ?", (bucket,)
        ).fetchone()
        return (row[0] or 0.0, row[1] or "") if row else (0.0, "")

    def _most(self, sql: sqlite3.Connection, charge: Charge) -> float:
        row = sql.execute("SELECT most FROM buckets WHERE bucket = ?", (charge.bucket,)).fetchone()
        return float(row[0]) if row and row[0] is not None else charge.most

    def _used(self, sql: sqlite3.Connection, charge: Charge, at: float) -> float:
        if isinstance(charge.window, Rolling):
            found = sql.execute(
                "SELECT SUM(cost) FROM calls WHERE bucket = ? AND expires > ?", (charge.bucket, at)
            )
        else:
            found = sql.execute(
                "SELECT used FROM spent WHERE bucket = ? AND period = ?",
                (charge.bucket, _period(charge.window, at)),
            )
        row = found.fetchone()
        return float(row[0]) if row and row[0] is not None else 0.0

    def _refused(self, sql: sqlite3.Connection, charge: Charge, at: float) -> NoRoom | None:
        most, used = self._most(sql, charge), self._used(sql, charge, at)
        excess = used + charge.cost - most
        if excess <= 1e-9:
            return None
        told = f"{used:g} of {most:g} are used" + (" (US dollars)" if charge.is_money else "")
        if not isinstance(charge.window, Rolling):
            end = charge.window.end(datetime.fromtimestamp(at, UTC)).timestamp()
            return NoRoom(end, charge.bucket, told, is_quota=True)
        rows = sql.execute(
            "SELECT cost, expires, in_flight FROM calls WHERE bucket = ? AND expires > ?"
            " ORDER BY expires",
            (charge.bucket, at),
        )
        until = at + charge.window.seconds
        for cost, expires, in_flight in rows:
            excess -= cost
            if excess <= 1e-9:
                until = expires - (LEASE_SECONDS if in_flight else 0)
                break
        return NoRoom(max(until, at + 0.01), charge.bucket, told, is_quota=False)

    def _take(self, sql: sqlite3.Connection, charge: Charge, at: float) -> int:
        if isinstance(charge.window, Rolling):
            sql.execute("DELETE FROM calls WHERE bucket = ? AND expires <= ?", (charge.bucket, at))
            return int(
                sql.execute(
                    "INSERT INTO calls (bucket, cost, expires, in_flight) VALUES (?, ?, ?, 1)",
                    (charge.bucket, charge.cost, at + LEASE_SECONDS + charge.window.seconds),
                ).lastrowid
                or 0
            )
        self._spend(sql, charge.bucket, _period(charge.window, at), charge.cost)
        return 0

    def _spend(self, sql: sqlite3.Connection, bucket: str, period: float, cost: float) -> None:
        sql.execute(
            "INSERT INTO spent (bucket, period, used) VALUES (?, ?, ?)"
            " ON CONFLICT (bucket, period) DO UPDATE SET used = used + excluded.used",
            (bucket, period, cost),
        )


def _period(window: RateWindow, at: float) -> float:
    if isinstance(window, Rolling):
        raise TypeError("a sliding window has no begin")
    return window.begin(datetime.fromtimestamp(at, UTC)).timestamp()
