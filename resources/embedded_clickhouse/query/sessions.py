"""Chooses the connection of a request: a new one, or the connection of its session.

Settings and database of a request must not affect the next one. They end with a new connection; on
the connection of a session, `release` restores the previous values.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.http.request import SessionRequest
from resources.embedded_clickhouse.query.engine import MARK_SETTING, Connection, Engine


@dataclass(frozen=True)
class _Own:
    """State of a session: its database, and its settings that differ from the defaults."""

    database: str
    settings: Mapping[str, str]


@dataclass
class _Session:
    """`own` is cached between requests: to query it takes longer than most queries."""

    connection: Connection
    seconds: int
    last_used: float
    in_use: bool = True
    own: _Own | None = None


class Lease:
    """A connection for one request, with the request's settings. The caller releases it once."""

    def __init__(self, registry: Sessions, session: SessionRequest | None, mark: str = "") -> None:
        self._registry = registry
        self._wanted = session
        self._session, self.connection = registry.take(session, mark)
        self._database: str | None = None
        self._settings: dict[str, str | None] = {}

    def apply(self, settings: Mapping[str, str], database: str | None) -> None:
        """Put the request's settings and database on the connection."""
        if self._session is not None and (settings or database):
            own = self._session.own = self._session.own or _own(self.connection)
            self._settings = {name: own.settings.get(name) for name in settings}
            self._database = own.database if database else None
        if database:
            self.connection.use(database)
        self.connection.set(settings)

    def changes_session(self) -> None:
        """Note that the request's statement may change the state of the session."""
        if self._session is not None:
            self._session.own = None

    def release(self) -> None:
        """Undo `apply` if the connection is a session's, and give the connection back."""
        try:
            if self._database is not None:
                self.connection.use(self._database)
            self.connection.set(self._settings)
        finally:
            self._registry.give_back(self._wanted, self.connection)


class Sessions:
    """The open sessions. A session serves one request at a time, as in ClickHouse."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def take(
        self, wanted: SessionRequest | None, mark: str = ""
    ) -> tuple[_Session | None, Connection]:
        """The session and its connection, or a new connection for a request without a session.

        `mark` identifies the request's queries.
        """
        if wanted is None:
            return None, self._engine.connect(mark)
        session = self._take(wanted)
        session.connection.set({MARK_SETTING: mark})
        return session, session.connection

    def _take(self, wanted: SessionRequest) -> _Session:
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
            return session

    def give_back(self, wanted: SessionRequest | None, connection: Connection) -> None:
        """Give back a connection that `take` returned."""
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
        """Close the sessions that were unused for their timeout."""
        now = time.monotonic()
        with self._lock:
            for name, session in list(self._sessions.items()):
                if not session.in_use and now - session.last_used > session.seconds:
                    del self._sessions[name]
                    session.connection.close()

    def close(self) -> None:
        """Close all sessions at the end of the server."""
        with self._lock:
            for session in self._sessions.values():
                session.connection.close()
            self._sessions.clear()


def _own(connection: Connection) -> _Own:
    # One row, because a session may limit the rows of a result.
    (line,) = connection.run(
        "SELECT currentDatabase(), groupArray(name), groupArray(value) FROM system.settings "
        "WHERE changed FORMAT JSONCompactEachRow"
    ).body.splitlines()
    database, names, values = json.loads(line)
    return _Own(database, dict(zip(names, values, strict=True)))
