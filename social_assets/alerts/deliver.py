"""Hands a message to a channel, through Apprise: Slack, e-mail, Teams, PagerDuty, webhook ...

Here belongs everything that knows Apprise. What a channel answers is shown without its secrets.
"""

from __future__ import annotations

import logging

from resources.settings.alert_url_secrets import SHORTEST_SECRET, secret_parts
from social_assets.alerts.active import Severity
from social_assets.alerts.channels import Channel
from social_assets.alerts.message import Message

TIMEOUT_SECONDS = 20.0
"""For one message, whatever the service's own limits are: one evaluation of the sensor has 60."""

_HIDDEN = "***"
_NOWHERE = logging.NullHandler()


def deliver(channel: Channel, message: Message) -> str:
    """Send it; "" if the channel took it, else why not, in one line without secrets."""
    # Imported here: a second, which every other tick of the sensor does without.
    import apprise

    types = {
        None: apprise.NotifyType.SUCCESS,
        Severity.WARN: apprise.NotifyType.WARNING,
        Severity.ERROR: apprise.NotifyType.FAILURE,
    }
    _silence()
    service = apprise.Apprise()
    if not service.add(channel.url):
        return "Apprise does not know such a URL; see `apprise --details` for the kinds there are"
    result = service.notify(
        title=message.title,
        body=message.body,
        body_format=apprise.NotifyFormat.TEXT,
        notify_type=types[message.severity],
        timeout=TIMEOUT_SECONDS,
    )
    if result:
        return ""
    said = " ".join("; ".join(entry.message for entry in result.logs()).split())
    return without_channel_secrets(said, channel) or result.status.name.lower()


def without_channel_secrets(text: str, channel: Channel) -> str:
    """The text without the parts of the channel's URL that may be secret."""
    for part in sorted({*secret_parts(channel.url)}, key=len, reverse=True):
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
