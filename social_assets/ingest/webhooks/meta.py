"""Webhooks of Instagram and of Facebook pages: both are Meta's.

Belongs here: the form of their bodies. A request has several entries, an entry several changes; by
Business Login, an entry is a change itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from social_assets.ingest.webhooks.challenges import answer_meta
from social_assets.ingest.webhooks.events import (
    digest,
    list_of,
    notice,
    object_of,
    parsed,
    seconds_of,
    text_of,
    written,
)
from social_assets.ingest.webhooks.signatures import check_meta
from social_assets.ingest.webhooks.webhook import Webhook, WebhookEvent


def _events(platform: str, body: bytes, arrived_at: datetime) -> list[WebhookEvent]:
    said = parsed(body)
    entries = list_of(object_of(said).get("entry"))
    if not entries and object_of(said).get("entry") != []:
        # Signed, and of no form that is known: it is kept as a whole.
        entries = [said]
    return [
        _event(platform, object_of(entry), change, arrived_at)
        for entry in entries
        for change in _changes(entry)
    ]


def _changes(entry: object) -> Iterator[object]:
    changes = list_of(object_of(entry).get("changes"))
    if changes:
        yield from changes
    else:
        yield entry


def _event(
    platform: str, entry: dict[str, Any], change: object, arrived_at: datetime
) -> WebhookEvent:
    field = text_of(object_of(change).get("field"))
    value = object_of(object_of(change).get("value"))
    happened_at = seconds_of(value.get("created_time")) or seconds_of(entry.get("time"))
    payload = written(change)
    # An entry's time may be that of the attempt; a change without it is the same each time.
    own = written({"field": field, "value": value}) if change is entry and field else payload
    return notice(
        platform,
        account_id=entry.get("id"),
        kind=_kind(field, value),
        notice_id=digest(text_of(entry.get("id")), own),
        happened_at=happened_at or arrived_at,
        arrived_at=arrived_at,
        payload=payload,
    )


def _kind(field: str | None, value: dict[str, Any]) -> str:
    """`feed.reaction.add`, `mentions`, `unknown`."""
    parts = (field, text_of(value.get("item")), text_of(value.get("verb")))
    return ".".join(part for part in parts if part) or "unknown"


INSTAGRAM = Webhook(
    "Instagram",
    answer_meta,
    check_meta,
    partial(_events, "Instagram"),
    secret_is="app secret",  # noqa: S106 - what it is called
    has_verify_token=True,
)
FACEBOOK = Webhook(
    "Facebook",
    answer_meta,
    check_meta,
    partial(_events, "Facebook"),
    secret_is="app secret",  # noqa: S106 - what it is called
    has_verify_token=True,
)
