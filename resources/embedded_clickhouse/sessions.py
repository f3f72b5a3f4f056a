"""Which connection a request runs on: a fresh one, or that of its session.

Settings and database of one request must not reach the next. A fresh connection takes
them with it when it closes; a session gets back what it had before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from resources.embedded_clickhouse.engine import Connection, Engine, quote
from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.request import SessionRequest


@dataclass
class _Session:
    connection: Connection
    seconds: int
    last_used: float
    in_use: bool = True


class Lease:
    """A connection for one request, with the request's settings on it. Release it once."""

    def __init__(self, registry: Sessions, session: SessionRequest | None) -> None:
        self._registry = registry
        self._session = session
        self._restore: list[str] = []
        self.connection = registry.take(session)

    def apply(self, settings: Mapping[str, str], database: str | None) -> None:
        """Put the request's settings and database on the connection."""
        if self._session is not None:
            self._restore = _statements_to_restore(self.connection, settings, database)
        if database:
            self.connection.use(database)
        self.connection.set(settings)

    def release(self) -> None:
        """Undo what `apply` did, where it would be seen, and give the connection back."""
        try:
            for statement in self._restore:
                self.connection.run(statement)
        finally:
            self._registry.give_back(self._session, self.connection)


class Sessions:
    """The open sessions. A session serves one request at a time, as in ClickHouse."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def take(self, wanted: SessionRequest | None) -> Connection:
        """The connection of the session, or a new one for a request without."""
        if wanted is None:
            return self._engine.connect()
        with self._lock:
            session = self._sessions.get(wanted.id)
            if session is None:
                if wanted.must_exist:
                    raise ClickHouseError(
                        372, "SESSION_NOT_FOUND", f"Session {wanted.id} not found"
                    )
                session = _Session(self._engine.connect(), wanted.seconds, time.monotonic())
                self._sessions[wanted.id] = session
            elif session.in_use:
                raise ClickHouseError(
                    373,
                    "SESSION_IS_LOCKED",
                    f"Session {wanted.id} is locked by a concurrent client",
                )
            session.in_use = True
            session.seconds = wanted.seconds
            return session.connection

    def give_back(self, wanted: SessionRequest | None, connection: Connection) -> None:
        """End the use of a connection that `take` gave."""
        if wanted is None:
            connection.close()
            return
        with self._lock:
            session = self._sessions[wanted.id]
            session.in_use = False
            session.last_used = time.monotonic()
            if wanted.close:
                del self._sessions[wanted.id]
                connection.close()

    def close_expired(self) -> None:
        """Close the sessions that nobody has used for their timeout."""
        now = time.monotonic()
        with self._lock:
            for name, session in list(self._sessions.items()):
                if not session.in_use and now - session.last_used > session.seconds:
                    del self._sessions[name]
                    session.connection.close()

    def close(self) -> None:
        """Close all sessions, for the server ends."""
        with self._lock:
            for session in self._sessions.values():
                session.connection.close()
            self._sessions.clear()


def _statements_to_restore(
    connection: Connection, settings: Mapping[str, str], database: str | None
) -> list[str]:
    """What puts a session back to where it was before this request's settings."""
    statements: list[str] = []
    if database:
        current = connection.run("SELECT currentDatabase() FORMAT TSVRaw").body.decode()
        escaped = current.rstrip("\n").replace("\\", "\\\\").replace("`", "\\`")
        statements.append(f"USE `{escaped}`")
    for name in settings:
        found = connection.run(
            "SELECT value FROM system.settings WHERE name = {name:String} AND changed "
            "FORMAT TSVRaw",
            parameters={"name": name},
        ).body.decode()
        before = quote(found.removesuffix("\n")) if found else "DEFAULT"
        statements.append(f"SET {name} = {before}")
    return statements
