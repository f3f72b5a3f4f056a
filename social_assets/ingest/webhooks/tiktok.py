"""Webhooks of TikTok: one event a request, and never a metric.

Belongs here: the form of its bodies.
"""

from __future__ import annotations

from datetime import datetime

from social_assets.ingest.webhooks.events import (
    digest,
    notice,
    object_of,
    parsed,
    seconds_of,
    text_of,
    written,
)
from social_assets.ingest.webhooks.signatures import check_tiktok
from social_assets.ingest.webhooks.webhook import Webhook, WebhookEvent


def _events(body: bytes, arrived_at: datetime) -> list[WebhookEvent]:
    said = parsed(body)
    event = object_of(said)
    return [
        notice(
            "TikTok",
            account_id=event.get("user_openid"),
            kind=text_of(event.get("event")) or "unknown",
            notice_id=digest(written(said)),
            happened_at=seconds_of(event.get("create_time")) or arrived_at,
            arrived_at=arrived_at,
            payload=written(said),
        )
    ]


TIKTOK = Webhook(
    "TikTok",
    None,  # it is registered in TikTok's developer portal
    check_tiktok,
    _events,
    secret_is="client secret",  # noqa: S106 - what it is called
    has_verify_token=False,
)
