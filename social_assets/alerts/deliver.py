"""Hands an alert to a channel.

Belongs here: how a channel marks the severity of an alert. Sending belongs to `resources.messages`.
"""

from __future__ import annotations

from resources.messages.send import MessageKind, send
from social_assets.alerts.active import Severity
from social_assets.alerts.channels import Channel
from social_assets.alerts.message import Message

TIMEOUT_SECONDS = 20.0
"""For one message, whatever the service's own limits are: one evaluation of the sensor has 60."""

_KINDS = {
    None: MessageKind.SUCCESS,
    Severity.WARN: MessageKind.WARNING,
    Severity.ERROR: MessageKind.FAILURE,
}


def deliver(channel: Channel, message: Message) -> str:
    """Send it; "" if the channel took it, else why not, in one line without secrets."""
    return send(
        channel.url,
        message.title,
        message.body,
        kind=_KINDS[message.severity],
        seconds=TIMEOUT_SECONDS,
    )
