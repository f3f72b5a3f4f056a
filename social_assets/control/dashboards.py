"""Dashboards that people composed and saved.

Belongs here: the table and its repository. What a specification means belongs to
`serving.dashboards`; the store keeps it as a JSON document.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from social_assets.control.engine import reading, writing
from social_assets.control.errors import ChangedMeanwhileError, UnknownDashboardError
from social_assets.control.schema import METADATA, UtcTime, now

LONGEST_TITLE = 200
LARGEST_SPECIFICATION = 256 * 1024

SAVED_DASHBOARDS = Table(
    "saved_dashboards",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("title", String(LONGEST_TITLE), nullable=False),
    Column("owner", String(LONGEST_TITLE), nullable=False),
    Column("specification", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Index("ix_saved_dashboards_owner", "owner"),
)
_ALL = select(SAVED_DASHBOARDS)


@dataclass(frozen=True)
class SavedDashboard:
    """A dashboard as it is stored."""

    id: str
    title: str
    owner: str
    specification: str
    """A JSON object."""
    version: int
    """Each save adds one."""
    created_at: datetime
    updated_at: datetime


class SavedDashboards:
    """The repository of saved dashboards."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, title: str, owner: str, specification: str) -> SavedDashboard:
        """Save a new dashboard. Raises ValueError for what cannot be saved."""
        _check(title, specification)
        _check_text("owner", owner)
        at = self._clock()
        new = SavedDashboard(secrets.token_hex(6), title, owner, specification, 1, at, at)
        with writing(self._engine) as connection:
            connection.execute(
                insert(SAVED_DASHBOARDS).values(
                    id=new.id,
                    title=title,
                    owner=owner,
                    specification=specification,
                    version=new.version,
                    created_at=at,
                    updated_at=at,
                )
            )
        return new

    def get(self, id_: str) -> SavedDashboard:
        """One dashboard. Raises UnknownDashboardError."""
        with reading(self._engine) as connection:
            return _found(connection, id_)

    def list(self, owner: str | None = None) -> list[SavedDashboard]:
        """All dashboards, or those of an owner, by title."""
        query = _ALL.order_by(SAVED_DASHBOARDS.c.title, SAVED_DASHBOARDS.c.id)
        if owner is not None:
            query = query.where(SAVED_DASHBOARDS.c.owner == owner)
        with reading(self._engine) as connection:
            return [_dashboard(row) for row in connection.execute(query)]

    def save(self, id_: str, version: int, title: str, specification: str) -> SavedDashboard:
        """Replace title and specification of the version that the caller has read.

        Raises ChangedMeanwhileError if another version is stored, UnknownDashboardError.
        """
        _check(title, specification)
        table = SAVED_DASHBOARDS.c
        with writing(self._engine) as connection:
            done = connection.execute(
                update(SAVED_DASHBOARDS)
                .where(table.id == id_, table.version == version)
                .values(
                    title=title,
                    specification=specification,
                    version=version + 1,
                    updated_at=self._clock(),
                )
            )
            found = _found(connection, id_)
            if done.rowcount == 0:
                raise ChangedMeanwhileError(f"dashboard {id_}", version, found.version)
        return found

    def delete(self, id_: str) -> None:
        """Delete a dashboard. Raises UnknownDashboardError."""
        with writing(self._engine) as connection:
            _found(connection, id_)
            connection.execute(delete(SAVED_DASHBOARDS).where(SAVED_DASHBOARDS.c.id == id_))


def _found(connection: Connection, id_: str) -> SavedDashboard:
    row = connection.execute(_ALL.where(SAVED_DASHBOARDS.c.id == id_)).one_or_none()
    if row is None:
        raise UnknownDashboardError(f"no saved dashboard has the id {id_!r}")
    return _dashboard(row)


def _dashboard(row: Row[tuple[object, ...]]) -> SavedDashboard:
    return SavedDashboard(
        row.id,
        row.title,
        row.owner,
        row.specification,
        row.version,
        row.created_at,
        row.updated_at,
    )


def _check(title: str, specification: str) -> None:
    _check_text("title", title)
    if len(specification.encode(errors="replace")) > LARGEST_SPECIFICATION:
        raise ValueError(
            f"the specification is larger than {LARGEST_SPECIFICATION // 1024} KiB; make two "
            "dashboards of it"
        )
    try:
        # Not every text has an encoding: half of a surrogate pair has none.
        document = json.loads(specification.encode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the specification is no JSON document: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("the specification is no JSON object")


def _check_text(name: str, value: str) -> None:
    if not value.strip() or not value.isprintable() or len(value) > LONGEST_TITLE:
        raise ValueError(
            f"the {name} {value[:50]!r} is empty, longer than {LONGEST_TITLE} characters, or not "
            "printable"
        )


def _refuse_constant(name: str) -> None:
    """JSON has no NaN and no infinity; Python's reader takes them unless told otherwise."""
    raise ValueError(f"{name} is no number of JSON")
