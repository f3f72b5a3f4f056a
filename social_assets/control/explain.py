"""Errors of SQLite and PostgreSQL as errors of the store, with its place and the remedy.

Belongs here: only the translation. What a repository expects, such as a value that must be unique,
is not translated. No text of SQL, no parameter and no password is in a message.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, TimeoutError

from resources.settings.environments import CONTROL_URL
from resources.settings.variables import hidden
from social_assets.control.errors import (
    ControlStoreError,
    ControlStoreLockedError,
    ControlStoreUnreachableError,
)
from social_assets.control.location import ControlLocation

_PERMISSIONS = "let this user write the file and its folder (chown, chmod u+rw)"
_SQLITE: dict[str, tuple[type[ControlStoreError], str]] = {
    "SQLITE_BUSY": (
        ControlStoreLockedError,
        "another process has written to it for too long: `fuser` on the file names the process;"
        " end it, or wait and repeat",
    ),
    "SQLITE_LOCKED": (ControlStoreLockedError, "repeat"),
    "SQLITE_CANTOPEN": (ControlStoreUnreachableError, _PERMISSIONS),
    "SQLITE_READONLY": (ControlStoreUnreachableError, _PERMISSIONS),
    "SQLITE_PERM": (ControlStoreUnreachableError, _PERMISSIONS),
    "SQLITE_FULL": (ControlStoreUnreachableError, "the disk is full: make room and repeat"),
    "SQLITE_IOERR": (
        ControlStoreUnreachableError,
        "the disk is full or failing: make room, and repeat",
    ),
    "SQLITE_NOTADB": (
        ControlStoreError,
        "it is no SQLite file: move it away and restore it from a backup",
    ),
    "SQLITE_CORRUPT": (
        ControlStoreError,
        "the file is damaged: move it away and restore it from a backup",
    ),
}

_RIGHTS = "GRANT the user of the URL all rights on the tables and CREATE on the schema"
_POSTGRES: dict[str, tuple[type[ControlStoreError], str]] = {
    "55P03": (
        ControlStoreLockedError,
        "another session holds it: `SELECT * FROM pg_stat_activity` names the session; end it, or"
        " wait and repeat",
    ),
    "42501": (ControlStoreError, _RIGHTS),
    "25006": (ControlStoreError, f"name the primary server in {CONTROL_URL}, not a replica"),
    "53300": (ControlStoreUnreachableError, "raise max_connections, or put a pool in front"),
    "53100": (ControlStoreUnreachableError, "the server's disk is full: make room and repeat"),
}
_SERVER = f"see whether the server runs and accepts this user, and correct {CONTROL_URL}"


def explained(error: SQLAlchemyError, location: ControlLocation) -> ControlStoreError | None:
    """The store's error that a driver's error means; None for an error of another kind."""
    if isinstance(error, TimeoutError):
        return ControlStoreLockedError(
            f"{location}: all connections of this process are in use", "repeat"
        )
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return None
    found = _kind(error, location)
    if found is None:
        return None
    kind, remedy = found
    reason = " ".join(hidden(str(error.orig)).split())
    return kind(f"{location}: {reason}", remedy)


def _kind(
    error: DBAPIError, location: ControlLocation
) -> tuple[type[ControlStoreError], str] | None:
    if location.url is None:
        name = "_".join(str(getattr(error.orig, "sqlite_errorname", "")).split("_")[:2])
        return _SQLITE.get(name)
    code = getattr(error.orig, "pgcode", None)
    if code in _POSTGRES:
        return _POSTGRES[code]
    is_lost = error.connection_invalidated or code is None or code.startswith(("08", "57P"))
    is_of_connection = type(error.orig).__name__ in ("OperationalError", "InterfaceError")
    return (ControlStoreUnreachableError, _SERVER) if is_lost and is_of_connection else None
