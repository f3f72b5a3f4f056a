"""Webhooks of YouTube: WebSub. A feed says that videos are new or changed, or gone.

Belongs here: the form of the feeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree

from social_assets.ingest.webhooks.challenges import answer_websub
from social_assets.ingest.webhooks.events import digest, moment_of, notice
from social_assets.ingest.webhooks.signatures import check_websub
from social_assets.ingest.webhooks.webhook import (
    DeliveryUnreadableError,
    Webhook,
    WebhookEvent,
)

_ATOM = "{http://www.w3.org/2005/Atom}"
_YOUTUBE = "{http://www.youtube.com/xml/schemas/2015}"
_TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


def _events(body: bytes, arrived_at: datetime) -> list[WebhookEvent]:
    return [*_cut(_feed(body), arrived_at)]


def _feed(body: bytes) -> ElementTree.Element:
    try:
        text = body.decode()
        if "<!DOCTYPE" in text:
            raise DeliveryUnreadableError("the body declares a document type; a feed has none")
        return ElementTree.fromstring(text)  # noqa: S314 - signed, and without a document type
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise DeliveryUnreadableError(f"the body is no XML: {error}") from error


def _cut(feed: ElementTree.Element, arrived_at: datetime) -> Iterator[WebhookEvent]:
    for entry in feed:
        if entry.tag == f"{_ATOM}entry":
            kind = "video"
            video = entry.findtext(f"{_YOUTUBE}videoId")
            channel = entry.findtext(f"{_YOUTUBE}channelId")
            at = entry.findtext(f"{_ATOM}updated") or entry.findtext(f"{_ATOM}published")
        elif entry.tag == _TOMBSTONE:
            kind = "video.deleted"
            video = entry.get("ref", "").removeprefix("yt:video:")
            # The channel is in the address of its author.
            uri = entry.findtext(f".//{_ATOM}uri") or ""
            channel, at = uri.rpartition("/")[2], entry.get("when")
        else:
            continue
        payload = ElementTree.tostring(entry, encoding="unicode").strip()
        happened_at = moment_of(at)
        yield notice(
            "YouTube",
            account_id=channel,
            kind=kind,
            notice_id=digest(kind, video, at) if video and at else digest(payload),
            happened_at=happened_at or arrived_at,
            arrived_at=arrived_at,
            payload=payload,
        )


YOUTUBE = Webhook(
    "YouTube",
    answer_websub,
    check_websub,
    _events,
    secret_is="secret of the subscription",  # noqa: S106 - what it is called
    has_verify_token=True,
)
