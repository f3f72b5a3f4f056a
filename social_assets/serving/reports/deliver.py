"""Sends a report's file to a recipient: an e-mail address, or a URL that is kept encrypted.

Belongs here: addresses and the message. Who gets what, and that it goes once, belongs to
`social_assets.control.reports`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from resources.messages.send import send
from resources.settings.variables import REPORT_MAIL_URL

MAIL_URL = REPORT_MAIL_URL
"""Environment variable: the Apprise URL of the mail server, such as
mailtos://user:password@smtp.example.org?from=reports@example.org"""
SECONDS = 60.0


class ReportDeliveryError(RuntimeError):
    """A recipient did not get the report; the text says why, without secrets."""


@dataclass(frozen=True)
class ReportMessage:
    """What a recipient gets. `key` is the same for every attempt of one delivery."""

    title: str
    body: str
    file: Path
    key: str


def mail_url(address: str) -> str:
    """The URL that sends to an e-mail address. Raises ReportDeliveryError if none is set."""
    url = os.environ.get(MAIL_URL)
    if not url:
        raise ReportDeliveryError(
            f"{address} needs a mail server: set {MAIL_URL} to an Apprise URL such as "
            "mailtos://user:password@smtp.example.org?from=reports@example.org"
        )
    return f"{url}{'&' if '?' in url else '?'}to={quote(address)}"


def deliver(url: str, message: ReportMessage) -> None:
    """Send the file. Raises ReportDeliveryError."""
    # A header tells a receiver that a second attempt is the same delivery.
    keyed = f"{url}{'&' if '?' in url else '?'}%2BX-Idempotency-Key={message.key}"
    error = send(keyed, message.title, message.body, seconds=SECONDS, file=message.file)
    if error:
        raise ReportDeliveryError(error)
