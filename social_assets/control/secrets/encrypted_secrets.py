"""Secrets by name, such as credentials of platforms: encrypted in the table, readable again.

Belongs here: the table and its repository. Each value is bound to its name and version, so that a
row that is copied over another one, or put back as it was, does not decrypt. Values are in no
message, no log and no `repr`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from resources.settings.home import Home
from resources.settings.variables import SECRET_KEY
from social_assets.control.engine import reading, writing
from social_assets.control.errors import (
    ChangedMeanwhileError,
    SecretKeyError,
    SecretTamperedError,
    UnknownSecretError,
)
from social_assets.control.schema import METADATA, UtcTime, now
from social_assets.control.secrets.secret_keys import KeySource, SecretKey, SecretKeys, new_key

LARGEST_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}", re.ASCII)

ENCRYPTED_SECRETS = Table(
    "encrypted_secrets",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("key_id", String(12), nullable=False),
    Column("encrypted", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)
_TABLE = ENCRYPTED_SECRETS.c
_ALL = select(ENCRYPTED_SECRETS).order_by(_TABLE.name)


@dataclass(frozen=True)
class SecretRecord:
    """What may be shown of a secret."""

    name: str
    key_id: str
    version: int
    """Each change of the value adds one."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class StoredSecret:
    """A secret with its value."""

    record: SecretRecord
    value: str = field(repr=False)


class EncryptedSecrets:
    """The repository of encrypted secrets."""

    def __init__(self, engine: Engine, home: Home, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._keys = KeySource(home)
        self._clock = clock

    def put(self, name: str, value: str, based_on: int | None = None) -> SecretRecord:
        """Store a value under a new name, or replace one.

        With `based_on`, replaces only that version (0: stores only a new name), and raises
        ChangedMeanwhileError otherwise. Raises ValueError, SecretKeyError.
        """
        _check(name, value)
        try:
            return self._put(name, value, based_on)
        except IntegrityError:
            # Another process has stored the new name meanwhile: now it is a replacement.
            return self._put(name, value, based_on)

    def _put(self, name: str, value: str, based_on: int | None) -> SecretRecord:
        at = self._clock()
        with self._encrypting() as (connection, ring):
            row = _row(connection, name, for_update=True)
            stored = 0 if row is None else row.version
            if based_on is not None and based_on != stored:
                raise ChangedMeanwhileError(f"secret {name}", based_on, stored)
            version = stored + 1
            changed = {
                "key_id": ring.current.id,
                "encrypted": ring.current.encrypt(value.encode(), _binding(name, version)),
                "version": version,
                "updated_at": at,
            }
            if row is None:
                connection.execute(
                    insert(ENCRYPTED_SECRETS).values(name=name, created_at=at, **changed)
                )
            else:
                connection.execute(
                    update(ENCRYPTED_SECRETS).where(_TABLE.name == name).values(**changed)
                )
        return SecretRecord(
            name, ring.current.id, version, at if row is None else row.created_at, at
        )

    def get(self, name: str) -> StoredSecret:
        """A secret. Raises UnknownSecretError, SecretKeyError, SecretTamperedError."""
        with self._keys.held(), reading(self._engine) as connection:
            row = _row(connection, name)
            ring = self._keys.read()
        if row is None:
            raise UnknownSecretError(f"no secret has the name {name!r}")
        return StoredSecret(_record(row), _decrypted(row, ring).decode())

    def list(self) -> list[SecretRecord]:
        """All secrets without their values, by name. Needs no key."""
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(_ALL)]

    def delete(self, name: str) -> None:
        """Delete a secret. Raises UnknownSecretError."""
        with writing(self._engine) as connection:
            done = connection.execute(delete(ENCRYPTED_SECRETS).where(_TABLE.name == name))
        if done.rowcount == 0:
            raise UnknownSecretError(f"no secret has the name {name!r}")

    def rotate(self) -> int:
        """Encrypt all secrets under a new key, and return how many.

        The new key is the first of SOCIAL_ASSETS_SECRET_KEY; for the file of the home, one is made,
        and the old ones are removed after the change is committed. Killed anywhere, every secret
        stays readable, and the same call completes it.
        """
        with self._keys.held(exclusive=True):
            ring = self._keys.read()
            if ring is None:
                self._refuse_lost_keys()
                return 0
            # Several keys in the file: a rotation was interrupted, and its key is the first.
            if not self._keys.is_setting and len(ring.keys) == 1:
                # Written before it is used.
                ring = self._keys.replace([new_key(), *ring.keys])
            with writing(self._engine) as connection:
                rows = connection.execute(_ALL.with_for_update()).all()
                for row in rows:
                    _encrypt_again(connection, row, ring)
            if not self._keys.is_setting:
                self._keys.replace([ring.current])
        return len(rows)

    def unreadable(self) -> tuple[SecretRecord, ...]:
        """The secrets whose key is not here. Decrypts nothing, and makes no key."""
        ring = self._keys.read()
        return tuple(each for each in self.list() if ring is None or ring.key(each.key_id) is None)

    def check(self) -> None:
        """Decrypt every secret. Raises SecretKeyError or SecretTamperedError for a bad one."""
        with self._keys.held(), reading(self._engine) as connection:
            ring = self._keys.read()
            for row in connection.execute(_ALL):
                _decrypted(row, ring)

    @contextmanager
    def _encrypting(self) -> Iterator[tuple[Connection, SecretKeys]]:
        """A transaction, and the keys, which no other process changes meanwhile."""
        if self._keys.read() is None:
            with self._keys.held(exclusive=True):
                # Another process may have made it meanwhile.
                if self._keys.read() is None:
                    self._refuse_lost_keys()
                    self._keys.make()
        with self._keys.held(), writing(self._engine) as connection:
            ring = self._keys.read()
            if ring is None:
                raise SecretKeyError(f"{self._keys.file} was removed just now; restore it")
            yield connection, ring

    def _refuse_lost_keys(self) -> None:
        """A new key must not hide that the one of stored secrets is lost."""
        with reading(self._engine) as connection:
            ids = connection.scalars(select(_TABLE.key_id).distinct()).all()
        if ids:
            raise SecretKeyError(
                f"stored secrets are encrypted under key {', '.join(sorted(ids))}, and there is "
                f"no {self._keys.file}; restore that file or set {SECRET_KEY} to that key, or "
                "delete the secrets and enter them again"
            )


def _encrypt_again(connection: Connection, row: Row[tuple[object, ...]], ring: SecretKeys) -> None:
    plain = _decrypted(row, ring)
    encrypted = ring.current.encrypt(plain, _binding(row.name, row.version))
    connection.execute(
        update(ENCRYPTED_SECRETS)
        .where(_TABLE.name == row.name)
        .values(key_id=ring.current.id, encrypted=encrypted)
    )


def _decrypted(row: Row[tuple[object, ...]], ring: SecretKeys | None) -> bytes:
    key: SecretKey | None = None if ring is None else ring.key(row.key_id)
    if key is None:
        there = "there is no key here" if ring is None else f"the keys here are {ring}"
        raise SecretKeyError(
            f"secret {row.name} is encrypted under key {row.key_id}, and {there}; bring that key"
            " back, or store the secret again"
        )
    try:
        return key.decrypt(bytes(row.encrypted), _binding(row.name, row.version))
    except SecretTamperedError as error:
        raise SecretTamperedError(
            f"secret {row.name} is not as it was stored: its row was altered, or copied from "
            "another one; store it again, and find out who writes to the store"
        ) from error


def _binding(name: str, version: int) -> bytes:
    return f"{name}\x00{version}".encode()


def _row(
    connection: Connection, name: str, *, for_update: bool = False
) -> Row[tuple[object, ...]] | None:
    query = select(ENCRYPTED_SECRETS).where(_TABLE.name == name)
    return connection.execute(query.with_for_update() if for_update else query).one_or_none()


def _record(row: Row[tuple[object, ...]]) -> SecretRecord:
    return SecretRecord(row.name, row.key_id, row.version, row.created_at, row.updated_at)


def _check(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the name {name[:50]!r} of the secret is not made of letters, digits and . _ : @ / -,"
            " beginning with a letter or digit, up to 200 characters"
        )
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"the value of secret {name} is no Unicode text") from None
    if not 0 < size <= LARGEST_BYTES:
        raise ValueError(f"the value of secret {name} is empty or larger than 64 KiB")
