"""Hands a message to a channel, through Apprise: Slack, e-mail, Teams, PagerDuty, webhook ...

Here belongs everything that knows Apprise. What a channel answers is shown without its secrets.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path

from resources.settings.alert_url_secrets import SHORTEST_SECRET, secret_parts

_HIDDEN = "***"
_NOWHERE = logging.NullHandler()


class MessageKind(StrEnum):
    """How a channel marks a message. The values are those of Apprise."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


def send(
    url: str,
    title: str,
    body: str,
    *,
    seconds: float,
    kind: MessageKind = MessageKind.INFO,
    file: Path | None = None,
) -> str:
    """Send it; "" if the channel took it, else why not, in one line without secrets."""
    # Imported here: it takes a second, which whoever sends nothing does without.
    import apprise

    _silence()
    service = apprise.Apprise()
    if not service.add(url):
        return "Apprise does not know such a URL; see `apprise --details` for the kinds there are"
    result = service.notify(
        title=title,
        body=body,
        body_format=apprise.NotifyFormat.TEXT,
        notify_type=apprise.NotifyType(kind.value),
        attach=None if file is None else str(file),
        timeout=seconds,
    )
    if result:
        return ""
    said = " ".join("; ".join(entry.message for entry in result.logs()).split())
    return without_secrets(said, url) or result.status.name.lower()


def without_secrets(text: str, url: str) -> str:
    """The text without the parts of a channel's URL that may be secret."""
    for part in sorted({*secret_parts(url)}, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, _HIDDEN)
    return text


def _silence() -> None:
    """Apprise and what it sends with log addresses, tokens included: none reaches a log of ours."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(_NOWHERE)
    for name in ("apprise", "urllib3", "requests_oauthlib"):
        logging.getLogger(name).setLevel(logging.WARNING)
