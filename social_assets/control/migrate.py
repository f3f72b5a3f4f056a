"""Brings the tables of the operational store up to date, once, whoever comes first.

Belongs here: which revisions this release knows, and the one transaction that applies the missing
ones. The revisions are in `migrations/versions`, for Alembic. All of them are committed together
with the record of the last one: a process that is killed leaves the store as it was.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, inspect, text

from social_assets.control.errors import ControlStoreNewerError
from social_assets.control.location import ControlLocation
from social_assets.control.schema import NO_TRANSACTION, WRITES

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""The revisions of this release, oldest first. A test compares them with the migrations."""

VERSION_TABLE = "control_revision"
"""Not Alembic's default: Dagster uses that one, and both may share a PostgreSQL database."""

_POSTGRES_LOCK = 0x50C1A1_C0  # any number that no other program uses for its advisory locks
_POSTGRES_WAIT = "60s"


def migrate(engine: Engine, location: ControlLocation) -> None:
    """Apply the missing revisions. Raises ControlStoreNewerError if the store has others."""
    with engine.begin() as connection:
        found = revision(connection)
    refuse_newer(found, location)
    if found == REVISIONS[-1]:
        return
    with _first_of_processes(engine, location) as connection:
        found = revision(connection)
        refuse_newer(found, location)
        if found != REVISIONS[-1]:
            _upgrade(connection)


def revision(connection: Connection) -> str | None:
    """The store's revision; None if it has no tables yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if found is None else str(found)


def refuse_newer(found: str | None, location: ControlLocation) -> None:
    """Raise ControlStoreNewerError for a revision that this release does not know."""
    if found is not None and found not in REVISIONS:
        raise ControlStoreNewerError(
            f"{location} is at revision {found}, and this release knows revisions up to "
            f"{REVISIONS[-1]}: a newer release has changed it",
            "install that release here too, or restore the backup from before its first start",
        )


@contextmanager
def _first_of_processes(engine: Engine, location: ControlLocation) -> Iterator[Connection]:
    """A transaction with exclusive use of the store; other processes wait for its end."""
    if location.url is not None:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_POSTGRES_WAIT}'"))
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK}
            )
            yield connection
        return
    with (location.file.parent / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Outside of a transaction; two processes that do it at once would disturb each other.
        with engine.execution_options(**NO_TRANSACTION).connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with engine.execution_options(**WRITES).begin() as connection:
            yield connection


def _upgrade(connection: Connection) -> None:
    # Only the process that migrates imports Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "social_assets.control:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
