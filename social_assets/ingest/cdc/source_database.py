"""The PostgreSQL whose tables are captured: its settings, the replication slot, the publication.

Belongs here: every statement that we send to that database. Rows are never read here: Debezium's
connector reads them. What a state of a slot means for people belongs to `slot`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resources.settings.secret_urls import UrlSettingError, read_url
from social_assets.contracts.contract import Contract
from social_assets.ingest.cdc.slot import SlotState

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 30
_EXAMPLE = "postgresql://user:password@host:5432/database"
MESSAGE_PREFIX = "social_assets"
"""The prefix of the messages that we write to the log, by which its consumers know them."""

_SLOT = """
SELECT wal_status, active, safe_wal_size,
       pg_current_wal_lsn() - restart_lsn, pg_current_wal_lsn() - confirmed_flush_lsn
FROM pg_replication_slots WHERE slot_name = %s
"""
_SETTINGS = """
SELECT current_setting('wal_level'),
       (SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
"""
_TABLE = """
SELECT relreplident, (
  SELECT count(*) FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary
)
FROM pg_class WHERE oid = to_regclass(%s)
"""


class SourceDatabaseError(RuntimeError):
    """The captured database cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class SourceAddress:
    """Where a captured database is, and as whom to come."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)


def source_address(variable: str) -> SourceAddress | None:
    """The database that a variable of the environment names; None if it is not set.

    Raises UrlSettingError, without any part of the value, if it cannot be read.
    """
    url = os.environ.get(variable)
    if not url:
        return None
    address = read_url(variable, url, ("postgresql", "postgres"), _EXAMPLE)
    database = address.rest.removeprefix("/")
    if not database or not address.user or "?" in database or "/" in database:
        raise UrlSettingError(f"{variable} must name user and database, like {_EXAMPLE}")
    return SourceAddress(
        address.host, address.port or 5432, database, address.user, address.password
    )


def address_of(contract: Contract) -> SourceAddress:
    """The database of a stream of changes. Raises SourceDatabaseError if none is named."""
    variable = contract.capture.url_variable if contract.capture else ""
    address = source_address(variable)
    if address is None:
        raise SourceDatabaseError(
            f"no database is named for the stream {contract.name}: set {variable}={_EXAMPLE}"
        )
    return address


class SourceDatabase:
    """Statements on one captured database. Made by `source_database`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def slot(self, name: str) -> SlotState | None:
        """The state of a replication slot; None if there is no such slot."""
        found = self._rows(_SLOT, name)
        if not found:
            return None
        ((wal_status, is_active, safe, kept, behind),) = found
        return SlotState(
            name=name,
            wal_status=str(wal_status),
            is_active=bool(is_active),
            kept_bytes=None if kept is None else int(kept),
            behind_bytes=None if behind is None else int(behind),
            limit_bytes=self.slot_limit(),
            safe_bytes=None if safe is None else int(safe),
        )

    def slot_limit(self) -> int | None:
        """`max_slot_wal_keep_size` in bytes; None if it is unlimited."""
        ((_, limit),) = self._rows(_SETTINGS)
        return None if int(limit) < 0 else int(limit)

    def hindrances(self, contract: Contract) -> list[str]:
        """What must be changed in the database before the table can be captured, with how."""
        capture = contract.capture
        table = capture.table if capture else ""
        ((level, _),) = self._rows(_SETTINGS)
        found = []
        if level != "logical":
            found.append(
                f"wal_level is {level}: ALTER SYSTEM SET wal_level = 'logical', then restart it"
            )
        if self.slot_limit() is None:
            found.append(
                "max_slot_wal_keep_size is unlimited, so that a slot that nobody reads would fill "
                "the disk: ALTER SYSTEM SET max_slot_wal_keep_size = '10GB', then "
                "SELECT pg_reload_conf()"
            )
        described = self._rows(_TABLE, table)
        if not described:
            return [*found, f"there is no table {table}: mend `table` of the contract"]
        ((identity, primary_keys),) = described
        if identity != "f":
            found.append(
                f"updates and deletes of {table} do not carry the whole row: "
                f"ALTER TABLE {table} REPLICA IDENTITY FULL"
            )
        if not primary_keys:
            found.append(f"{table} has no primary key, which tells its rows apart: add one")
        return found

    def message(self, text: str) -> int:
        """Write a message to the log; its position, later than that of all changes before it."""
        ((lsn,),) = self._rows(
            "SELECT pg_logical_emit_message(false, %s, %s) - '0/0'::pg_lsn", MESSAGE_PREFIX, text
        )
        return int(lsn)

    def drop(self, slot: str) -> bool:
        """Drop the replication slot and the publication; False if there was no slot.

        Raises psycopg2's error if somebody still reads the slot.
        """
        dropped = self._rows(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
            "WHERE slot_name = %s",
            slot,
        )
        with self._connection.cursor() as cursor:
            cursor.execute(f'DROP PUBLICATION IF EXISTS "{slot}"')
        return bool(dropped)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found


@contextmanager
def source_database(address: SourceAddress) -> Iterator[SourceDatabase]:
    """A connection to a captured database, each statement a transaction of its own.

    Raises SourceDatabaseError, without the password, if it does not answer or refuses.
    """
    # Imported here: only streams of changes need the driver.
    import psycopg2

    place = f"{address.host}:{address.port}/{address.database}"
    try:
        connection = psycopg2.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.user,
            password=address.password,
            connect_timeout=_CONNECT_SECONDS,
            application_name="social-assets",
            options=f"-c statement_timeout={_STATEMENT_SECONDS}s",
        )
    except psycopg2.OperationalError as error:
        raise SourceDatabaseError(
            f"the captured database {place} cannot be reached as {address.user}: "
            f"{str(error).strip()}. Is it up, and are the parts of its URL right?"
        ) from None
    connection.autocommit = True
    try:
        yield SourceDatabase(connection)
    except psycopg2.Error as error:
        raise SourceDatabaseError(
            f"the captured database {place} refuses what {address.user} asks: {str(error).strip()}"
        ) from error
    finally:
        connection.close()
