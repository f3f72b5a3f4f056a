"""Webhooks of X: the activity API. One event a request.

Belongs here: the form of its bodies.
"""

from __future__ import annotations

from datetime import datetime

from social_assets.ingest.webhooks.challenges import answer_crc
from social_assets.ingest.webhooks.events import (
    comment,
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
    account_id = text_of(object_of(data.get("filter")).get("user_id"))
    happened_at = _happened_at(kind, payload) or arrived_at
    if kind == "post.create" and account_id:
        found = _comment(account_id, payload, happened_at, arrived_at)
        if found is not None:
            return [found]
    event = notice(
        "X",
        account_id=account_id,
        kind=kind,
        notice_id=text_of(data.get("event_uuid")) or digest(written(said)),
        happened_at=happened_at,
        arrived_at=arrived_at,
        payload=written(data or said),
    )
    return [event]


def _comment(
    account_id: str, payload: dict[str, object], published_at: datetime, arrived_at: datetime
) -> WebhookEvent | None:
    """A post of somebody else in a conversation that another post began; None for other posts.

    A reply of the account itself may be in anybody's conversation: it is no comment on its posts.
    """
    comment_id, author = text_of(payload.get("id")), text_of(payload.get("author_id"))
    post_id = text_of(payload.get("conversation_id"))
    if not comment_id or post_id in (None, comment_id) or author in (None, account_id):
        return None
    return comment(
        "X",
        account_id=account_id,
        post_id=post_id or "",
        comment_id=comment_id,
        reply_to_id=None,  # the record says it
        published_at=published_at,
        arrived_at=arrived_at,
        record=payload,
    )


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
