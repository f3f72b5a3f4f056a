"""Credentials of platforms: which account each is for, when it ends, why it does not work any more.

Belongs here: the table and its repository. Tokens are in `encrypted_secrets`, one JSON text a
credential; they are in no message, no log and no `repr`. When a token is renewed belongs to
`ingest.connectors.token_keeper`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    Index,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    text,
    update,
)

from resources.settings.home import Home
from social_assets.control.engine import reading, writing
from social_assets.control.errors import UnknownCredentialError, UnknownSecretError
from social_assets.control.schema import METADATA, UtcTime, now
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

PLATFORM_CREDENTIALS = Table(
    "platform_credentials",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("account_id", String(200), nullable=True),
    Column("app", String(200), nullable=False),
    Column("revoked_reason", Text, nullable=True),
    Column("access_expires_at", UtcTime, nullable=True),
    Column("final_expires_at", UtcTime, nullable=True),
    Column("obtained_at", UtcTime, nullable=False),
    Column("refresh_began_at", UtcTime, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("platform", "name"),
    Index("ix_platform_credentials_platform_account_id", "platform", "account_id"),
)
_TABLE = PLATFORM_CREDENTIALS.c


@dataclass(frozen=True)
class CredentialRecord:
    """What may be shown of a credential.

    `account_id` is the account that the token acts for; None for a token of an app. `app` is the id
    of the app (the project, at Google) whose limits it shares. `final_expires_at` is when it can
    be renewed no more: then a person must act.
    """

    id: str
    platform: str
    name: str
    account_id: str | None
    app: str
    revoked_reason: str | None
    access_expires_at: datetime | None
    final_expires_at: datetime | None
    obtained_at: datetime
    refresh_began_at: datetime | None
    created_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether it may be used."""
        return self.revoked_reason is None


@dataclass(frozen=True)
class Tokens:
    """The secret part of a credential."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    access_expires_at: datetime | None = None
    final_expires_at: datetime | None = None
    obtained_at: datetime | None = None

    def without_secrets(self, told: str) -> str:
        """A text without any of these secrets, for a message."""
        for secret in (self.access_token, self.refresh_token, self.client_secret):
            if secret:
                told = told.replace(secret, "***")
        return told


class PlatformCredentials:
    """The repository of credentials."""

    def __init__(self, engine: Engine, home: Home, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._home = home
        self._secrets = EncryptedSecrets(engine, home, clock)
        self._clock = clock

    def add(
        self, platform: str, tokens: Tokens, account_id: str | None = None, name: str | None = None
    ) -> CredentialRecord:
        """Store a credential, or replace the one of this name, which makes it active again.

        The name is that of the account, or `app`, if none is given. Raises ValueError.
        """
        name = name or account_id or "app"
        at = tokens.obtained_at or self._clock()
        known = self._of_name(platform, name)
        id_ = known.id if known else secrets.token_hex(6)
        with self.locked(id_):
            # The secret first: a row always has its tokens.
            self._put(id_, platform, tokens)
            values = {
                "account_id": account_id,
                "app": app_of(tokens),
                "revoked_reason": None,
                "access_expires_at": tokens.access_expires_at,
                "final_expires_at": tokens.final_expires_at,
                "obtained_at": at,
                "refresh_began_at": None,
            }
            with writing(self._engine) as connection:
                if known:
                    connection.execute(
                        update(PLATFORM_CREDENTIALS).where(_TABLE.id == id_).values(**values)
                    )
                else:
                    connection.execute(
                        insert(PLATFORM_CREDENTIALS).values(
                            id=id_,
                            platform=platform,
                            name=name,
                            created_at=self._clock(),
                            **values,
                        )
                    )
        return self.get(id_)

    def get(self, id_: str) -> CredentialRecord:
        """A credential. Raises UnknownCredentialError."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(PLATFORM_CREDENTIALS).where(_TABLE.id == id_)
            ).one_or_none()
        if row is None:
            raise UnknownCredentialError(f"no credential has the id {id_!r}")
        return _record(row)

    def list(self, platform: str | None = None) -> list[CredentialRecord]:
        """All credentials, or those of a platform, oldest first."""
        return [*self._found(*() if platform is None else (_TABLE.platform == platform,))]

    def of_account(self, platform: str, account_id: str) -> CredentialRecord | None:
        """The credential that acts for an account, one that is active first."""
        found = self._found(_TABLE.platform == platform, _TABLE.account_id == account_id)
        return next((each for each in found if each.is_active), found[0] if found else None)

    def near_expiry(self, within: timedelta) -> tuple[CredentialRecord, ...]:
        """The active credentials that a person must renew within that time."""
        last = self._clock() + within
        return tuple(self._found(_TABLE.revoked_reason.is_(None), _TABLE.final_expires_at <= last))

    def remove(self, platform: str, name: str) -> None:
        """Delete a credential and its tokens. Raises UnknownCredentialError.

        Killed anywhere, no tokens are left without a credential: removing it again completes it.
        """
        known = self._of_name(platform, name)
        if known is None:
            raise UnknownCredentialError(f"no credential of {platform} has the name {name!r}")
        # Under the lock, so that no renewal stores tokens after that.
        with self.locked(known.id):
            with suppress(UnknownSecretError):
                self._secrets.delete(_secret(known.platform, known.id))
            with writing(self._engine) as connection:
                connection.execute(delete(PLATFORM_CREDENTIALS).where(_TABLE.id == known.id))

    def tokens(self, credential: CredentialRecord) -> Tokens:
        """The tokens as they are stored now. Raises UnknownSecretError, SecretKeyError."""
        found = json.loads(self._secrets.get(_secret(credential.platform, credential.id)).value)
        for key in ("access_expires_at", "final_expires_at", "obtained_at"):
            found[key] = datetime.fromisoformat(found[key]) if found[key] else None
        return Tokens(**found)

    def refresh_begins(self, id_: str) -> None:
        """Record that a request for new tokens is about to be sent. The caller must hold the lock.

        If this process ends before the answer is stored, the next one knows why the old refresh
        token may not work any more. It also proves that the store can be written.
        """
        self._change(id_, refresh_began_at=self._clock())

    def refreshed(self, credential: CredentialRecord, tokens: Tokens) -> None:
        """Store renewed tokens, before anything uses them. The caller must hold the lock."""
        self._put(credential.id, credential.platform, tokens)
        self._change(
            credential.id,
            access_expires_at=tokens.access_expires_at,
            final_expires_at=tokens.final_expires_at,
            obtained_at=tokens.obtained_at,
            refresh_began_at=None,
        )

    def refresh_failed(self, id_: str) -> None:
        """Record that the platform answered without changing the tokens."""
        self._change(id_, refresh_began_at=None)

    def revoke(self, id_: str, reason: str) -> None:
        """Record that a credential does not work any more, and why; nothing uses it again."""
        self._change(id_, revoked_reason=reason, refresh_began_at=None)

    @contextmanager
    def locked(self, id_: str) -> Iterator[None]:
        """Hold the lock of one credential, across processes (and machines, with PostgreSQL)."""
        if self._engine.dialect.name == "postgresql":
            number = int.from_bytes(hashlib.sha256(id_.encode()).digest()[:8], "big", signed=True)
            with self._engine.connect() as connection:
                connection.execute(text("SET lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": number})
                connection.commit()
                try:
                    yield
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": number})
                    connection.commit()
                    # It has another time limit now: it does not go back into the pool.
                    connection.invalidate()
            return
        folder = self._home.path / "locks" / "credentials"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / f"{id_}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _of_name(self, platform: str, name: str) -> CredentialRecord | None:
        found = self._found(_TABLE.platform == platform, _TABLE.name == name)
        return found[0] if found else None

    def _found(self, *conditions: ColumnElement[bool]) -> Sequence[CredentialRecord]:
        query = select(PLATFORM_CREDENTIALS).where(*conditions)
        query = query.order_by(_TABLE.platform, _TABLE.created_at, _TABLE.id)
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(query)]

    def _put(self, id_: str, platform: str, tokens: Tokens) -> None:
        stored = asdict(tokens)
        for key, value in stored.items():
            if isinstance(value, datetime):
                stored[key] = value.isoformat()
        self._secrets.put(_secret(platform, id_), json.dumps(stored))

    def _change(self, id_: str, **values: object) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(PLATFORM_CREDENTIALS).where(_TABLE.id == id_).values(**values)
            )


def app_of(tokens: Tokens) -> str:
    """A name for the app of a credential, made from its client id; `app` if there is none."""
    if not tokens.client_id:
        return "app"
    return hashlib.sha256(tokens.client_id.encode()).hexdigest()[:12]


def _secret(platform: str, id_: str) -> str:
    return f"credential/{platform.lower()}/{id_}"


def _record(row: Row[tuple[object, ...]]) -> CredentialRecord:
    return CredentialRecord(**row._asdict())
