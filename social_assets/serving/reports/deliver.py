"""Sends a report's file to a recipient through Apprise: e-mail, or a URL that is kept encrypted.

Belongs here: addresses and the message. Who gets what, and that it goes once, belongs to
`social_assets.control.reports`.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from resources.settings.alert_url_secrets import SHORTEST_SECRET, secret_parts
from resources.settings.variables import REPORT_MAIL_URL

MAIL_URL = REPORT_MAIL_URL
"""Environment variable: the Apprise URL of the mail server, such as
mailtos://user:password@smtp.example.org?from=reports@example.org"""
SECONDS = 60.0
_HIDDEN = "***"


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
    # Imported here: it takes a second.
    import apprise

    _silence()
    service = apprise.Apprise()
    # A header tells a receiver that a second attempt is the same delivery.
    keyed = f"{url}{'&' if '?' in url else '?'}%2BX-Idempotency-Key={message.key}"
    if not (service.add(keyed) or service.add(url)):
        raise ReportDeliveryError("Apprise does not know such a URL; see `apprise --details`")
    result = service.notify(
        title=message.title,
        body=message.body,
        body_format=apprise.NotifyFormat.TEXT,
        attach=str(message.file),
        timeout=SECONDS,
    )
    if not result:
        said = " ".join("; ".join(entry.message for entry in result.logs()).split())
        raise ReportDeliveryError(_without_secrets(said, url) or result.status.name.lower())


def _without_secrets(text: str, url: str) -> str:
    for part in sorted({*secret_parts(url)}, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, _HIDDEN)
    return text


def _silence() -> None:
    """Apprise logs addresses, tokens included: none reaches a log of ours."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    for name in ("apprise", "urllib3", "requests_oauthlib"):
        logging.getLogger(name).setLevel(logging.WARNING)
