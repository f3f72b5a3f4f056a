"""Makes the records of events: what the streams of pushed events read.

Belongs here: the form of the records, and what all platforms' modules need to read a body. What a
platform says belongs to its module.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from social_assets.ingest.webhooks.webhook import DeliveryUnreadableError, WebhookEvent

NOTICES = "webhook_notices"
"""The stream of what is no comment."""

COMMENTS = "comments"
"""The stream of comments, which collection fills as well."""

STREAMS = (COMMENTS, NOTICES)
"""All streams that events belong to."""

_DIGITS = 32
_ZONE = len("+00:00")
_LAST_SECOND = 253_402_300_799  # of the year 9999


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


# Made once: each takes longer to make than to use.
_READER = json.JSONDecoder(parse_constant=_refuse_constant)
_WRITER = json.JSONEncoder(separators=(",", ":"))


def notice(
    platform: str,
    *,
    account_id: object,
    kind: str,
    notice_id: str,
    happened_at: datetime,
    arrived_at: datetime,
    payload: str,
) -> WebhookEvent:
    """An event that is no comment. `payload` is what the platform says of it, as text."""
    account = text_of(account_id)
    record = (
        f'{{"platform":{_quoted(platform)},"notice_id":{_quoted(notice_id)},'
        f'"account_id":{_quoted(account) if account else "null"},"kind":{_quoted(kind)},'
        f'"happened_at":"{time_text(happened_at)}","received_at":"{time_text(arrived_at)}",'
        f'"payload":{_quoted(payload)}}}'
    )
    return WebhookEvent(NOTICES, record.encode())


def comment(
    platform: str,
    *,
    account_id: str,
    post_id: str,
    comment_id: str,
    reply_to_id: str | None,
    published_at: datetime,
    arrived_at: datetime,
    record: object,
) -> WebhookEvent:
    """A comment in the envelope of collected records (`pipeline.pages.envelopes`).

    `record` is what the platform sent. Where it differs from the record that the platform's API
    gives, the columns of the stream stand beside it, so that a comment that is collected as well is
    the same row.
    """
    arrived = time_text(arrived_at)
    said = {
        "platform": platform,
        "account_id": account_id,
        "endpoint": "webhook",
        "collected_at": arrived,
        "fetched_at": arrived,
        "parent_id": post_id,
        "page": 1,
        "number": 1,
        "within": [],
        "comment_id": comment_id,
        "published_at": time_text(published_at),
        "reply_to_id": reply_to_id,
        "record": record,
    }
    return WebhookEvent(COMMENTS, written(said).encode())


def parsed(body: bytes) -> object:
    """The JSON value of a body. Raises DeliveryUnreadableError."""
    try:
        return _READER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else str(error)
        raise DeliveryUnreadableError(f"the body is no JSON: {reason}") from error


def written(value: object) -> str:
    """JSON in one line. Escapes stay escapes: half of a surrogate pair has no other form."""
    return _WRITER.encode(value)


def digest(*parts: str | None) -> str:
    """A key that is made of the content of an event, for those without an id."""
    text = "\n".join(part or "" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def object_of(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one: what a platform sends may be of any form."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: object) -> str | None:
    """An id as text, never as a number; None if there is none."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def seconds_of(value: object) -> datetime | None:
    """The time of a number of Unix seconds, also as text; None if it is none."""
    text = text_of(value)
    if text is None or not (text.isascii() and text.isdigit()) or int(text) > _LAST_SECOND:
        return None
    return datetime.fromtimestamp(int(text), UTC)


def moment_of(value: object) -> datetime | None:
    """The time of an ISO 8601 text with a zone; None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def time_text(at: datetime) -> str:
    """A time, which must be in UTC, to the millisecond."""
    return at.isoformat(timespec="milliseconds")[:-_ZONE] + "Z"
