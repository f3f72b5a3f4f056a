"""The envelope of a collected record: the platform's bytes, and where they come from.

Belongs here: its text. What a stream reads from it belongs to the contracts.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from social_assets.ingest.connectors.chain import ChainStart, RecordPage


def envelopes(start: ChainStart, page: RecordPage, collected_at: datetime) -> list[bytes]:
    """The records of a page, each with its place in the chain, verbatim inside.

    `collected_at` is the collection slot, so that collecting the page again gives duplicates.
    """
    said = {
        "platform": start.account.platform,
        "account_id": start.account.account_id,
        "endpoint": start.endpoint,
        "collected_at": _text(collected_at),
        "fetched_at": _text(page.fetched_at),
        "parent_id": start.parent_id,
        "page": page.number,
    }
    head = json.dumps(said, ensure_ascii=False)[:-1].encode()
    within = page.within or (b"[]",) * len(page.records)
    return [
        b'%s, "number": %d, "within": %s, "record": %s}' % (head, number, around, record)
        for number, (record, around) in enumerate(zip(page.records, within, strict=True), 1)
    ]


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
