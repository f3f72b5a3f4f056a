"""Requests to forget persons: who, until when, and what was deleted.

Belongs here: the table and its repository. A person's id is an encrypted secret until the request
is done, and is then deleted; the hash of it stays. What a request does is in `pipeline.privacy`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Engine, Row, String, Table, Text, insert, select, update

from resources.settings.home import Home
from social_assets.control.engine import open_engine, reading, writing
from social_assets.control.errors import ChangedMeanwhileError, UnknownSecretError
from social_assets.control.privacy.person import Person, hash_of
from social_assets.control.schema import METADATA, UtcTime, now
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

DUE_IN = timedelta(days=30)
"""GDPR, article 12, paragraph 3, gives a month."""

_SALT = "privacy/salt"
_SALT_BYTES = 32
_DELETION = "privacy/deletion/"
_BEING_RECORDED = timedelta(hours=1)

DELETION_REQUESTS = Table(
    "deletion_requests",
    METADATA,
    Column("id", String(12), primary_key=True),
    Column("person_hash", String(64), nullable=False),
    Column("platform", String(50)),
    Column("requested_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Column("report", Text),
)
_TABLE = DELETION_REQUESTS.c


@dataclass(frozen=True)
class DeletionRequest:
    """A request as it may be shown: it does not name the person."""

    id: str
    person_hash: str
    platform: str | None
    requested_at: datetime
    due_at: datetime
    done_at: datetime | None
    report: str | None
    """What was deleted, and what is left, as JSON; None before the first attempt."""

    def state(self, at: datetime) -> str:
        """`done`, `pending` or `overdue`."""
        if self.done_at is not None:
            return "done"
        return "overdue" if self.due_at <= at else "pending"


@dataclass(frozen=True)
class PendingDeletion:
    """A request that is not done, with the person."""

    request: DeletionRequest
    person: Person


class MissingSaltError(RuntimeError):
    """Persons are forgotten, and the salt of their hashes is lost."""


class DeletionRequests:
    """The repository of requests."""

    def __init__(self, engine: Engine, home: Home, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._secrets = EncryptedSecrets(engine, home)
        self._clock = clock

    def request(self, person: Person, due_in: timedelta = DUE_IN) -> DeletionRequest:
        """Record a request. The same person again gives the request that is pending."""
        hashed = hash_of(self._made_salt(), person.id)
        with reading(self._engine) as connection:
            same = select(DELETION_REQUESTS).where(
                _TABLE.person_hash == hashed,
                _TABLE.platform == person.platform
                if person.platform is not None
                else _TABLE.platform.is_(None),
                _TABLE.done_at.is_(None),
            )
            row = connection.execute(same.limit(1)).one_or_none()
        if row is not None:
            return _request(row)
        at = self._clock()
        request = DeletionRequest(
            secrets.token_hex(6), hashed, person.platform, at, at + due_in, None, None
        )
        # The id first: a request whose person is unknown could never be done.
        self._secrets.put(_secret(request.id), person.id)
        with writing(self._engine) as connection:
            connection.execute(insert(DELETION_REQUESTS).values(**vars(request)))
        return request

    def all(self) -> list[DeletionRequest]:
        """All requests, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(DELETION_REQUESTS).order_by(_TABLE.requested_at))
            return [_request(row) for row in rows]

    def pending(self) -> list[PendingDeletion]:
        """The requests that are not done, with their persons, oldest first."""
        found = (each for each in self.all() if each.done_at is None)
        return [
            PendingDeletion(each, Person(self._secrets.get(_secret(each.id)).value, each.platform))
            for each in found
        ]

    def report(self, id_: str, report: str, *, is_done: bool) -> None:
        """Record what an attempt has deleted. A request that is done loses the person's id."""
        done_at = self._clock() if is_done else None
        with writing(self._engine) as connection:
            connection.execute(
                update(DELETION_REQUESTS)
                .where(_TABLE.id == id_, _TABLE.done_at.is_(None))
                .values(report=report, done_at=done_at)
            )
        if is_done:
            self._delete_secret(_secret(id_))

    def delete_ids_not_pending(self) -> None:
        """Delete ids whose requests are done, or were never recorded: a killed process leaves them.

        An id of the last hour may belong to a request that is being recorded.
        """
        pending = {_secret(each.id) for each in self.all() if each.done_at is None}
        before = self._clock() - _BEING_RECORDED
        for each in self._secrets.list():
            is_left = each.name not in pending and each.created_at < before
            if each.name.startswith(_DELETION) and is_left:
                self._delete_secret(each.name)

    def salt(self) -> str:
        """The salt of hashes. Raises MissingSaltError."""
        try:
            return self._secrets.get(_SALT).value
        except UnknownSecretError as error:
            raise MissingSaltError(
                f"the lake has hashes of persons who are forgotten, and the operational store "
                f"lacks the secret {_SALT} by which their records are recognized. Restore the "
                "store from the backup that belongs to the lake"
            ) from error

    def _made_salt(self) -> str:
        # If it exists, it stays: hashes that are stored depend on it.
        with suppress(ChangedMeanwhileError):
            self._secrets.put(_SALT, secrets.token_hex(_SALT_BYTES), based_on=0)
        return self.salt()

    def _delete_secret(self, name: str) -> None:
        with suppress(UnknownSecretError):
            self._secrets.delete(name)


@contextmanager
def opened_requests(home: Home) -> Iterator[DeletionRequests]:
    """The requests of a home's store. Raises ControlStoreError."""
    engine = open_engine(home)
    try:
        yield DeletionRequests(engine, home)
    finally:
        engine.dispose()


def _secret(id_: str) -> str:
    return f"{_DELETION}{id_}"


def _request(row: Row[tuple[object, ...]]) -> DeletionRequest:
    return DeletionRequest(*row)
