"""Webhooks of Instagram and of Facebook pages: both are Meta's.

Belongs here: the form of their bodies. A request has several entries, an entry several changes; by
Business Login, an entry is a change itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from social_assets.ingest.webhooks.challenges import answer_meta
from social_assets.ingest.webhooks.events import (
    comment,
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


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of an entry, with what is read of it."""

    platform: str
    entry: dict[str, Any]
    said: object
    arrived_at: datetime

    @property
    def field(self) -> str | None:
        return text_of(object_of(self.said).get("field"))

    @property
    def value(self) -> dict[str, Any]:
        return object_of(object_of(self.said).get("value"))

    @property
    def happened_at(self) -> datetime:
        told = seconds_of(self.value.get("created_time")) or seconds_of(self.entry.get("time"))
        return told or self.arrived_at


def _events(platform: str, body: bytes, arrived_at: datetime) -> list[WebhookEvent]:
    said = parsed(body)
    entries = list_of(object_of(said).get("entry"))
    if not entries and object_of(said).get("entry") != []:
        # Signed, and of no form that is known: it is kept as a whole.
        entries = [said]
    changes = (
        _Change(platform, object_of(entry), change, arrived_at)
        for entry in entries
        for change in list_of(object_of(entry).get("changes")) or [entry]
    )
    return [_comment(change) or _notice(change) for change in changes]


def _comment(change: _Change) -> WebhookEvent | None:
    """A new comment; None for everything else, such as a comment that is edited or removed."""
    value = change.value
    if change.field == "comments" and change.platform == "Instagram":
        post_id = text_of(object_of(value.get("media")).get("id"))
        comment_id = text_of(value.get("id"))
    elif change.field == "feed" and (value.get("item"), value.get("verb")) == ("comment", "add"):
        post_id = text_of(value.get("post_id"))
        comment_id = text_of(value.get("comment_id"))
    else:
        return None
    account_id = text_of(change.entry.get("id"))
    if not (account_id and post_id and comment_id):
        return None
    parent = text_of(value.get("parent_id"))
    return comment(
        change.platform,
        account_id=account_id,
        post_id=post_id,
        comment_id=comment_id,
        # Facebook names the post itself as the parent of what is no reply.
        reply_to_id=None if parent == post_id else parent,
        published_at=change.happened_at,
        arrived_at=change.arrived_at,
        record=value,
    )


def _notice(change: _Change) -> WebhookEvent:
    field, value = change.field, change.value
    payload = written(change.said)
    # An entry's time may be that of the attempt; a change without it is the same each time.
    is_entry = change.said is change.entry and field
    own = written({"field": field, "value": value}) if is_entry else payload
    return notice(
        change.platform,
        account_id=change.entry.get("id"),
        kind=_kind(field, value),
        notice_id=digest(text_of(change.entry.get("id")), own),
        happened_at=change.happened_at,
        arrived_at=change.arrived_at,
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
