"""Connects to the operational store, and runs its transactions.

Belongs here: how SQLite and PostgreSQL are opened, and what a transaction is in each. Repositories
use `reading` and `writing`, which raise ControlStoreError for a store that cannot be used.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from resources.machine.home_machine import claim_home
from resources.settings.environments import CONTROL_URL
from resources.settings.home import Home
from resources.settings.private_home import make_private
from social_assets.control.errors import ControlStoreUnreachableError
from social_assets.control.explain import explained
from social_assets.control.location import ControlLocation
from social_assets.control.migrate import migrate
from social_assets.control.schema import BEGIN, WRITES

WAIT_SECONDS = 10.0
"""How long a transaction waits for another one, and a connection for the server."""


def open_engine(home: Home, wait_seconds: float = WAIT_SECONDS) -> Engine:
    """The engine of the home's store, whose tables are those of this release.

    Creates the file of SQLite and applies pending migrations. Raises ControlStoreError,
    EnvironmentSettingsError for the setting, HomeOfAnotherMachineError.
    """
    location = ControlLocation.of(home)
    if location.url is None:
        _create_file(location)
    engine = engine_of(location, wait_seconds)
    with _explaining(location):
        migrate(engine, location)
    return engine


def engine_of(location: ControlLocation, wait_seconds: float = WAIT_SECONDS) -> Engine:
    """The engine of a place, without a look at its tables."""
    if location.url is None:
        engine = _sqlite(location, wait_seconds)
    else:
        engine = _postgres(location.url, wait_seconds)
    engine.update_execution_options(control_location=location)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads."""
    with _explaining(_location(engine)), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write. In SQLite there is one at a time; the others wait."""
    writer = engine.execution_options(**WRITES)
    with _explaining(_location(engine)), writer.begin() as connection:
        yield connection


@contextmanager
def _explaining(location: ControlLocation) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        meant = explained(error, location)
        if meant is None:
            raise
        # The driver's error has the statement in it: it is not shown behind this one.
        raise meant from None


def _location(engine: Engine) -> ControlLocation:
    location: ControlLocation = engine.get_execution_options()["control_location"]
    return location


def _create_file(location: ControlLocation) -> None:
    """Create the file and its folder, readable by this user only."""
    make_private(location.home)
    claim_home(location.home.path / "locks")
    location.file.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        os.close(os.open(location.file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ControlStoreUnreachableError(
            f"{location}: {error.strerror}", "let this user write the file and its folder"
        ) from error
    found = location.file.stat()
    if found.st_mode & 0o077 and found.st_uid == os.getuid():
        location.file.chmod(0o600)


def _sqlite(location: ControlLocation, wait_seconds: float) -> Engine:
    engine = create_engine(
        # The path is not part of the URL, since a URL cannot hold every path.
        "sqlite://",
        creator=lambda: sqlite3.connect(
            location.file, timeout=wait_seconds, check_same_thread=False, isolation_level=None
        ),
        # Its default for a URL without a path is for databases in memory.
        poolclass=QueuePool,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    # In WAL mode NORMAL may lose the last transactions at a power failure: a revoked key would
    # work again.
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that first reads and then writes cannot wait for another one: it fails at once.
    statement = connection.get_execution_options().get(BEGIN, "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)


def _postgres(url: str, wait_seconds: float) -> Engine:
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": max(2, int(wait_seconds)),
                "application_name": "social-assets",
            },
        )
    except ImportError as error:
        raise ControlStoreUnreachableError(
            f"{CONTROL_URL} names PostgreSQL, and the driver psycopg2 is not installed",
            "pip install 'social-assets[production]'",
        ) from error

    def limit_waiting(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"SET lock_timeout = {int(1000 * wait_seconds)}")
        connection.commit()

    event.listen(engine, "connect", limit_waiting)
    return engine
