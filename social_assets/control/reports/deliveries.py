"""Deliveries of scheduled reports: each period goes once to each channel.

Belongs here: the table and its repository. A process claims a delivery before it sends, and records
the outcome after. While the claim's lease runs, no other process sends. If the process is killed in
between, nobody can know whether the message left: after the lease the next process sends it again,
under the same `idempotency_key`, by which a receiver recognizes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from social_assets.control.engine import reading, writing
from social_assets.control.errors import DeliveryTakenOverError, UnknownReportScheduleError
from social_assets.control.schema import METADATA, UtcTime, now

LEASE = timedelta(minutes=10)
_LONGEST_ERROR = 2000

REPORT_DELIVERIES = Table(
    "report_deliveries",
    METADATA,
    Column(
        "schedule_id",
        String(16),
        ForeignKey("report_schedules.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("period", String(64), primary_key=True),
    Column("channel", String(320), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claimed_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("error", Text),
)
_TABLE = REPORT_DELIVERIES.c


class DeliveryState(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class ReportDelivery:
    """One period of a schedule for one channel."""

    schedule_id: str
    period: str
    channel: str
    state: DeliveryState
    attempts: int
    claimed_at: datetime | None
    delivered_at: datetime | None
    error: str | None

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt: the Message-ID of an e-mail, the key of a webhook."""
        parts = "\x1f".join((self.schedule_id, self.period, self.channel))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


class ReportDeliveries:
    """The repository of deliveries."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock

    def claim(
        self, schedule_id: str, period: str, channel: str, lease: timedelta = LEASE
    ) -> ReportDelivery | None:
        """The delivery, to be sent by the caller; None if it was sent or another process sends it.

        Raises UnknownReportScheduleError.

        The caller must send within the lease, and then call `record_sent` or `record_failed`.
        """
        at = self._clock()
        is_over = and_(_TABLE.state == DeliveryState.SENDING.value, _TABLE.claimed_at <= at - lease)
        is_free = _TABLE.state.in_((DeliveryState.PENDING.value, DeliveryState.FAILED.value))
        which = _which(schedule_id, period, channel)
        with writing(self._engine) as connection:
            _insert_if_new(connection, schedule_id, period, channel)
            # Of processes that come at once, one changes the row; the others find it changed.
            claimed = connection.execute(
                update(REPORT_DELIVERIES)
                .where(which, or_(is_free, is_over))
                .values(
                    state=DeliveryState.SENDING.value,
                    attempts=_TABLE.attempts + 1,
                    claimed_at=at,
                )
            )
            if claimed.rowcount == 0:
                return None
            return _delivery(connection.execute(select(REPORT_DELIVERIES).where(which)).one())

    def record_sent(self, delivery: ReportDelivery) -> None:
        """The channel took it. Raises DeliveryTakenOverError if another process has taken over."""
        self._record(delivery, DeliveryState.SENT, None)

    def record_failed(self, delivery: ReportDelivery, error: str) -> None:
        """The channel refused it: the next claim tries again. Raises DeliveryTakenOverError."""
        self._record(delivery, DeliveryState.FAILED, error.replace("\x00", "")[:_LONGEST_ERROR])

    def list(self, schedule_id: str) -> list[ReportDelivery]:
        """All deliveries of a schedule, newest period first."""
        query = (
            select(REPORT_DELIVERIES)
            .where(_TABLE.schedule_id == schedule_id)
            .order_by(_TABLE.period.desc(), _TABLE.channel)
        )
        with reading(self._engine) as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def _record(self, delivery: ReportDelivery, state: DeliveryState, error: str | None) -> None:
        which = _which(delivery.schedule_id, delivery.period, delivery.channel)
        with writing(self._engine) as connection:
            done = connection.execute(
                update(REPORT_DELIVERIES)
                .where(
                    which,
                    _TABLE.state == DeliveryState.SENDING.value,
                    _TABLE.attempts == delivery.attempts,
                )
                .values(
                    state=state.value,
                    error=error,
                    delivered_at=self._clock() if state is DeliveryState.SENT else None,
                )
            )
        if done.rowcount == 0:
            raise DeliveryTakenOverError(
                f"attempt {delivery.attempts} to deliver {delivery.period} of report schedule "
                f"{delivery.schedule_id} took longer than its lease, and another process has taken "
                "over, or the schedule was deleted; claim with a longer lease if sending takes long"
            )


def _which(schedule_id: str, period: str, channel: str) -> ColumnElement[bool]:
    return and_(
        _TABLE.schedule_id == schedule_id, _TABLE.period == period, _TABLE.channel == channel
    )


def _insert_if_new(connection: Connection, schedule_id: str, period: str, channel: str) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(REPORT_DELIVERIES).values(
        schedule_id=schedule_id,
        period=period,
        channel=channel,
        state=DeliveryState.PENDING.value,
        attempts=0,
    )
    try:
        connection.execute(new.on_conflict_do_nothing())
    except IntegrityError as error:
        raise UnknownReportScheduleError(
            f"no report schedule has the id {schedule_id!r}: it was deleted, so nothing is "
            "delivered of it"
        ) from error


def _delivery(row: Row[tuple[object, ...]]) -> ReportDelivery:
    return ReportDelivery(
        row.schedule_id,
        row.period,
        row.channel,
        DeliveryState(row.state),
        row.attempts,
        row.claimed_at,
        row.delivered_at,
        row.error,
    )
