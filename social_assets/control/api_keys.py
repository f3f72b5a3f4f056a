"""API keys: who may ask the API, for which accounts, how often.

Belongs here: the table and its repository. A key is `sa_<id>_<secret>`: the id finds the row, and
the store holds only the SHA-256 of the secret. The secret has 256 random bits, so a slow hash would
add nothing. Counting requests against `per_minute` belongs to the API.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from sqlalchemy import (
    JSON,
    Column,
    Engine,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from social_assets.control.accounts import Account, as_pairs, of_pairs
from social_assets.control.engine import reading, writing
from social_assets.control.errors import ControlStoreError, UnknownApiKeyError
from social_assets.control.schema import METADATA, UtcTime, now

PER_MINUTE = 600
"""Requests a minute that a key may make if its creator names no other number."""

USE_RECORDED_EVERY = timedelta(minutes=1)
LONGEST_NAME = 200

_ID_BYTES = 6
_SECRET_BYTES = 32
_SHAPE = re.compile(r"sa_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
_NO_HASH = bytes(32)

_log = logging.getLogger(__name__)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("secret_sha256", LargeBinary(32), nullable=False),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("role", String(16), nullable=False),
    Column("accounts", JSON(none_as_null=True)),
    Column("per_minute", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
)
_ALL = select(API_KEYS)
_BY_ID = _ALL.where(API_KEYS.c.id == bindparam("key_id"))


class Role(StrEnum):
    """What a key may do. Each role includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True)
class ApiKey:
    """A key as the store knows it, without its secret."""

    id: str
    name: str
    role: Role
    accounts: frozenset[Account] | None
    """The accounts that it may see; None: all."""
    per_minute: int
    created_at: datetime
    last_used_at: datetime | None
    """To the minute."""
    expires_at: datetime | None
    revoked_at: datetime | None

    def allows(self, platform: str, account_id: str) -> bool:
        """Whether the key may see an account."""
        return self.accounts is None or (platform.casefold(), account_id) in self._allowed

    @cached_property
    def _allowed(self) -> frozenset[tuple[str, str]]:
        # A key may have thousands of accounts, and an answer thousands of rows to check.
        return frozenset(
            (each.platform.casefold(), each.account_id) for each in self.accounts or ()
        )

    def may(self, role: Role) -> bool:
        """Whether the key's role includes this one."""
        return _RANK[self.role] >= _RANK[role]

    def state(self, at: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "active"


@dataclass(frozen=True)
class NewApiKey:
    """A key that was just created; the only time that its text is known."""

    key: ApiKey
    text: str = field(repr=False)


class ApiKeys:
    """The repository of API keys."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock
        self._recorded: dict[str, datetime] = {}
        self._recording = threading.Lock()

    def create(
        self,
        name: str,
        *,
        accounts: Collection[Account] | None = None,
        role: Role = Role.READ,
        per_minute: int = PER_MINUTE,
        lifetime: timedelta | None = None,
    ) -> NewApiKey:
        """Create a key. Raises ValueError for a name, a limit or a scope that it cannot have."""
        _check(name, accounts, per_minute, lifetime)
        id_, secret = secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
        created = self._clock()
        scope = None if accounts is None else frozenset(accounts)
        expires = None if lifetime is None else created + lifetime
        key = ApiKey(id_, name, role, scope, per_minute, created, None, expires, None)
        with writing(self._engine) as connection:
            connection.execute(
                insert(API_KEYS).values(
                    id=id_,
                    secret_sha256=_hashed(secret),
                    name=name,
                    role=role.value,
                    accounts=as_pairs(scope),
                    per_minute=per_minute,
                    created_at=created,
                    expires_at=expires,
                )
            )
        return NewApiKey(key, f"sa_{id_}_{secret}")

    def verify(self, text: str) -> ApiKey | None:
        """The key of a text, and record its use; None if it is wrong, expired or revoked."""
        found = _SHAPE.fullmatch(text)
        if found is None:
            return None
        with reading(self._engine) as connection:
            row = connection.execute(_BY_ID, {"key_id": found[1]}).one_or_none()
        expected = _NO_HASH if row is None else bytes(row.secret_sha256)
        is_right = hmac.compare_digest(_hashed(found[2]), expected)
        if row is None or not is_right:
            return None
        key, at = _key(row), self._clock()
        if key.state(at) != "active":
            return None
        self._record_use(key, at)
        return key

    def list(self) -> list[ApiKey]:
        """All keys, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(_ALL.order_by(API_KEYS.c.created_at, API_KEYS.c.id)).all()
        return [_key(row) for row in rows]

    def revoke(self, id_: str) -> ApiKey:
        """End a key now. A key that is revoked stays so. Raises UnknownApiKeyError."""
        with writing(self._engine) as connection:
            connection.execute(
                update(API_KEYS)
                .where(API_KEYS.c.id == id_, API_KEYS.c.revoked_at.is_(None))
                .values(revoked_at=self._clock())
            )
            row = connection.execute(_BY_ID, {"key_id": id_}).one_or_none()
        if row is None:
            raise UnknownApiKeyError(
                f"no API key has the id {id_!r}; `social-assets keys list` shows the ids"
            )
        return _key(row)

    def _record_use(self, key: ApiKey, at: datetime) -> None:
        """Write the time of use, unless this or another process has done so a minute ago."""
        due = at - USE_RECORDED_EVERY
        with self._recording:
            last = max(
                (t for t in (key.last_used_at, self._recorded.get(key.id)) if t), default=due
            )
            if last > due:
                return
            self._recorded[key.id] = at
        used = API_KEYS.c.last_used_at
        try:
            with writing(self._engine) as connection:
                connection.execute(
                    update(API_KEYS)
                    .where(API_KEYS.c.id == key.id, or_(used.is_(None), used <= due))
                    .values(last_used_at=at)
                )
        except ControlStoreError as error:
            # The key is right whether or not its use can be recorded; a minute later, the next
            # use tries again.
            _log.warning("the use of API key %s was not recorded: %s", key.id, error)


def _check(
    name: str,
    accounts: Collection[Account] | None,
    per_minute: int,
    lifetime: timedelta | None,
) -> None:
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(
            f"the name {name[:50]!r} of the API key is empty, longer than {LONGEST_NAME} characters"
            " or not printable; name the program or person that will use it"
        )
    if accounts is not None and not accounts:
        raise ValueError("the API key would see no account: name one, or None for all")
    if not 1 <= per_minute <= 1_000_000:
        raise ValueError(f"{per_minute} requests a minute: give a number from 1 to 1,000,000")
    if lifetime is not None and lifetime <= timedelta(0):
        raise ValueError(f"the API key would expire at once: {lifetime} is no lifetime")


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        Role(row.role),
        of_pairs(row.accounts),
        row.per_minute,
        row.created_at,
        row.last_used_at,
        row.expires_at,
        row.revoked_at,
    )
