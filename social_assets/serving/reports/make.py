"""Makes the file of a report, and sends a period of a schedule to each of its recipients once.

Belongs here: the order of steps. When a schedule is due belongs to `sensors`, what is remembered of
a delivery to `social_assets.control.reports`.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.errors import (
    SecretKeyError,
    SecretTamperedError,
    UnknownSecretError,
)
from social_assets.control.reports.deliveries import ReportDeliveries, ReportDelivery
from social_assets.control.reports.schedules import SECRET, ReportFormat, ReportSchedule
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets
from social_assets.serving.reports.content import Ask, ReportContent, content_of
from social_assets.serving.reports.csv_text import csv_of
from social_assets.serving.reports.deliver import (
    ReportDeliveryError,
    ReportMessage,
    deliver,
    mail_url,
)
from social_assets.serving.reports.pdf import pdf_of
from social_assets.serving.reports.period import Period, period_of
from social_assets.serving.reports.report import Report, report


@dataclass(frozen=True)
class Sent:
    """What happened for one recipient: sent now, sent earlier, or refused with a reason."""

    schedule: str
    recipient: str
    outcome: str
    error: str = ""


def file_of(content: ReportContent, form: ReportFormat) -> bytes:
    """The file's bytes. Raises PdfError."""
    if form is ReportFormat.CSV:
        return csv_of(content).encode()
    return pdf_of(content)


def write_report(path: Path, data: bytes) -> None:
    """Write a file that appears when it is complete; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.touch(mode=0o600)
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def make_report(
    of: Report, period: Period, accounts: Collection[Account] | None, form: ReportFormat, ask: Ask
) -> tuple[ReportContent, bytes]:
    """The numbers and the file of a report. Raises what `ask` raises, and PdfError."""
    content = content_of(of, period, accounts, ask)
    return content, file_of(content, form)


def send_period(
    schedule: ReportSchedule, first_day: Period, home: Home, engine: Engine, ask: Ask
) -> list[Sent]:
    """Make the period of a schedule, and send it to each recipient that has not got it.

    A recipient that refuses holds up no other. Raises what `ask` raises, and PdfError.
    """
    plan = schedule.plan
    of = report(plan.report)
    period = period_of(of.period, first_day.first, plan.time_zone)
    deliveries = ReportDeliveries(engine)
    name = period.first.isoformat()
    done: list[Sent] = []
    message: ReportMessage | None = None
    for recipient in plan.recipients:
        claimed = deliveries.claim(schedule.id, name, recipient)
        if claimed is None:
            done.append(Sent(plan.name, recipient, "sent before, or being sent"))
            continue
        try:
            if message is None:
                message = _message(schedule, of, period, home, ask)
            deliver(_url(recipient, engine, home), _keyed(message, claimed))
        except ReportDeliveryError as error:
            deliveries.record_failed(claimed, str(error))
            done.append(Sent(plan.name, recipient, "failed", str(error)))
        except BaseException as error:
            deliveries.record_failed(claimed, f"the report could not be made: {error}")
            raise
        else:
            deliveries.record_sent(claimed)
            done.append(Sent(plan.name, recipient, "sent"))
    return done


def _message(
    schedule: ReportSchedule, of: Report, period: Period, home: Home, ask: Ask
) -> ReportMessage:
    plan = schedule.plan
    content, data = make_report(of, period, plan.accounts, plan.format, ask)
    name = f"{of.name}_{period.first.isoformat()}_{plan.name}.{plan.format.value}"
    path = home.reports / of.name / period.first.isoformat() / name
    write_report(path, data)
    title = f"{of.title}, {period.title}"
    empty = " No record of these accounts lies in this period." if content.is_empty else ""
    body = f"{of.title} of {content.covered} for {period.title} ({period.zone}) is attached.{empty}"
    return ReportMessage(title, body, path, "")


def _keyed(message: ReportMessage, delivery: ReportDelivery) -> ReportMessage:
    return ReportMessage(message.title, message.body, message.file, delivery.idempotency_key)


def _url(recipient: str, engine: Engine, home: Home) -> str:
    """The URL of a recipient. Raises ReportDeliveryError: it then holds up no other recipient."""
    if not recipient.startswith(SECRET):
        return mail_url(recipient)
    try:
        return EncryptedSecrets(engine, home).get(recipient.removeprefix(SECRET)).value
    except (UnknownSecretError, SecretKeyError, SecretTamperedError) as error:
        raise ReportDeliveryError(str(error)) from error
