"""Webhooks of X: the activity API. One event a request.

Belongs here: the form of its bodies.
"""

from __future__ import annotations

from datetime import datetime

from social_assets.ingest.webhooks.challenges import answer_crc
from social_assets.ingest.webhooks.events import (
    digest,
    moment_of,
    notice,
    object_of,
    parsed,
    seconds_of,
    text_of,
    written,
)
from social_assets.ingest.webhooks.signatures import check_x
from social_assets.ingest.webhooks.webhook import Webhook, WebhookEvent


def _events(body: bytes, arrived_at: datetime) -> list[WebhookEvent]:
    said = parsed(body)
    data = object_of(object_of(said).get("data"))
    payload = object_of(data.get("payload"))
    kind = text_of(data.get("event_type")) or "unknown"
    event = notice(
        "X",
        account_id=object_of(data.get("filter")).get("user_id"),
        kind=kind,
        notice_id=text_of(data.get("event_uuid")) or digest(written(said)),
        happened_at=_happened_at(kind, payload) or arrived_at,
        arrived_at=arrived_at,
        payload=written(data or said),
    )
    return [event]


def _happened_at(kind: str, payload: dict[str, object]) -> datetime | None:
    """When it happened; None for a follow, which has no time.

    In a like, `created_at` is when the liked post was made; `timestamp_ms` is the like's own.
    """
    milliseconds = text_of(payload.get("timestamp_ms"))
    if milliseconds:
        return seconds_of(milliseconds[:-3])
    return moment_of(payload.get("created_at")) if kind == "post.create" else None


X = Webhook(
    "X",
    answer_crc,
    check_x,
    _events,
    secret_is="consumer secret",  # noqa: S106 - what it is called
    has_verify_token=False,
)
