"""Report schedules: which report goes to whom, and when.

Belongs here: the table and its repository. Recipients are e-mail addresses and names of encrypted
secrets that hold a URL: a URL with a token is not stored in the clear.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    Row,
    String,
    Table,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from social_assets.control.accounts import Account, as_pairs, of_pairs
from social_assets.control.engine import reading, writing
from social_assets.control.errors import (
    ChangedMeanwhileError,
    ReportScheduleNameTakenError,
    UnknownReportScheduleError,
)
from social_assets.control.reports.cron import check_cron, check_time_zone
from social_assets.control.schema import METADATA, UtcTime, now

REPORT_SCHEDULES = Table(
    "report_schedules",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("report", String(100), nullable=False),
    Column("accounts", JSON(none_as_null=True)),
    Column("cron", String(100), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("format", String(8), nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("name", name="uq_report_schedules_name"),
)
_ALL = select(REPORT_SCHEDULES)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}", re.ASCII)
_ADDRESS = re.compile(r"[^@\s:/]+@[^@\s:/]+")
SECRET = "secret:"  # noqa: S105 - a prefix, not a secret
_MOST_RECIPIENTS = 100


class ReportFormat(StrEnum):
    """The kinds of file that a report is delivered as."""

    PDF = "pdf"
    CSV = "csv"


@dataclass(frozen=True)
class ReportPlan:
    """What a person decides about a schedule. Raises ValueError for what cannot work."""

    name: str
    report: str
    cron: str
    recipients: tuple[str, ...]
    """E-mail addresses, and `secret:NAME` for the encrypted secret that holds a URL."""
    accounts: frozenset[Account] | None = None
    """None: all accounts."""
    time_zone: str = "UTC"
    format: ReportFormat = ReportFormat.PDF
    enabled: bool = True

    def __post_init__(self) -> None:
        for what, value in (("name", self.name), ("report", self.report)):
            if not _NAME.fullmatch(value):
                raise ValueError(
                    f"the {what} {value[:50]!r} is not made of a-z, 0-9, - and _, beginning with a "
                    "letter or digit"
                )
        check_cron(self.cron)
        check_time_zone(self.time_zone)
        if self.accounts is not None and not self.accounts:
            raise ValueError("the report would have no account: name one, or None for all")
        if not 1 <= len(set(self.recipients)) == len(self.recipients) <= _MOST_RECIPIENTS:
            raise ValueError(f"name 1 to {_MOST_RECIPIENTS} recipients, each once")
        for recipient in self.recipients:
            _check_recipient(recipient)


@dataclass(frozen=True)
class ReportSchedule:
    """A schedule as it is stored."""

    id: str
    plan: ReportPlan
    version: int
    """Each change adds one."""
    created_at: datetime
    updated_at: datetime


class ReportSchedules:
    """The repository of report schedules."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, plan: ReportPlan) -> ReportSchedule:
        """Store a new schedule. Raises ReportScheduleNameTakenError."""
        at = self._clock()
        new = ReportSchedule(secrets.token_hex(6), plan, 1, at, at)
        with _naming(plan), writing(self._engine) as connection:
            connection.execute(
                insert(REPORT_SCHEDULES).values(
                    id=new.id, version=1, created_at=at, updated_at=at, **_columns(plan)
                )
            )
        return new

    def get(self, id_: str) -> ReportSchedule:
        """One schedule. Raises UnknownReportScheduleError."""
        with reading(self._engine) as connection:
            return _found(connection, id_)

    def list(self, *, only_enabled: bool = False) -> list[ReportSchedule]:
        """All schedules, by name."""
        query = _ALL.order_by(REPORT_SCHEDULES.c.name)
        if only_enabled:
            query = query.where(REPORT_SCHEDULES.c.enabled)
        with reading(self._engine) as connection:
            return [_schedule(row) for row in connection.execute(query)]

    def change(self, id_: str, version: int, plan: ReportPlan) -> ReportSchedule:
        """Replace the plan of the version that the caller has read.

        Raises ChangedMeanwhileError if another version is stored, UnknownReportScheduleError,
        ReportScheduleNameTakenError.
        """
        table = REPORT_SCHEDULES.c
        with _naming(plan), writing(self._engine) as connection:
            done = connection.execute(
                update(REPORT_SCHEDULES)
                .where(table.id == id_, table.version == version)
                .values(version=version + 1, updated_at=self._clock(), **_columns(plan))
            )
            found = _found(connection, id_)
            if done.rowcount == 0:
                raise ChangedMeanwhileError(f"report schedule {id_}", version, found.version)
        return found

    def enable(self, id_: str, *, enabled: bool) -> ReportSchedule:
        """Switch a schedule on or off, whatever its version. Raises UnknownReportScheduleError."""
        with writing(self._engine) as connection:
            found = _found(connection, id_)
            changed = replace(
                found,
                plan=replace(found.plan, enabled=enabled),
                version=found.version + 1,
                updated_at=self._clock(),
            )
            connection.execute(
                update(REPORT_SCHEDULES)
                .where(REPORT_SCHEDULES.c.id == id_)
                .values(enabled=enabled, version=changed.version, updated_at=changed.updated_at)
            )
        return changed

    def delete(self, id_: str) -> None:
        """Delete a schedule and the record of its deliveries. Raises UnknownReportScheduleError."""
        with writing(self._engine) as connection:
            _found(connection, id_)
            connection.execute(delete(REPORT_SCHEDULES).where(REPORT_SCHEDULES.c.id == id_))


@contextmanager
def _naming(plan: ReportPlan) -> Iterator[None]:
    """The name is the only thing that must be unique."""
    try:
        yield
    except IntegrityError as error:
        raise ReportScheduleNameTakenError(
            f"there is a report schedule named {plan.name!r}; choose another name, or change it"
        ) from error


def _check_recipient(recipient: str) -> None:
    name = recipient.removeprefix(SECRET)
    is_secret = name != recipient and _NAME.fullmatch(name) is not None
    if not is_secret and not _ADDRESS.fullmatch(recipient):
        # It may be a URL with a token: it is not shown.
        raise ValueError(
            "a recipient is neither an e-mail address nor secret:NAME; store a URL as an encrypted "
            "secret, and name that"
        )


def _found(connection: Connection, id_: str) -> ReportSchedule:
    row = connection.execute(_ALL.where(REPORT_SCHEDULES.c.id == id_)).one_or_none()
    if row is None:
        raise UnknownReportScheduleError(f"no report schedule has the id {id_!r}")
    return _schedule(row)


def _columns(plan: ReportPlan) -> Mapping[str, object]:
    return {
        "name": plan.name,
        "report": plan.report,
        "accounts": as_pairs(plan.accounts),
        "cron": plan.cron,
        "time_zone": plan.time_zone,
        "format": plan.format.value,
        "recipients": list(plan.recipients),
        "enabled": plan.enabled,
    }


def _schedule(row: Row[tuple[object, ...]]) -> ReportSchedule:
    plan = ReportPlan(
        name=row.name,
        report=row.report,
        cron=row.cron,
        recipients=tuple(row.recipients),
        accounts=of_pairs(row.accounts),
        time_zone=row.time_zone,
        format=ReportFormat(row.format),
        enabled=row.enabled,
    )
    return ReportSchedule(row.id, plan, row.version, row.created_at, row.updated_at)
