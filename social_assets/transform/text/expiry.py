"""Removes what was made of the texts of a stream's expired days: scores and documents.

Belongs here: only the removal; the contract says which days, and `pipeline.maintain` when. A
partition of both tables has rows of several streams, so rows are deleted from it. The files are
written anew without them at once.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from social_assets.transform.text.documents import documents_lock
from social_assets.transform.text.sources import TEXT_SOURCES
from social_assets.warehouse.search_tables import DOCUMENTS
from social_assets.warehouse.tables import exists
from social_assets.warehouse.text_tables import SENTIMENT

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def expire_texts(client: Client, locks: Path, stream: str, before: date) -> int:
    """Remove scores and documents of a stream's days before a date; returns the number of rows.

    Repeating it removes nothing more. Waits for a run that fills documents: it would bring them
    back.
    """
    if stream not in {source.stream for source in TEXT_SOURCES}:
        return 0
    removed = _delete(client, SENTIMENT, stream, before)
    with documents_lock(locks):
        return removed + _delete(client, DOCUMENTS, stream, before)


def _delete(client: Client, table: str, stream: str, before: date) -> int:
    if not exists(client, table):
        return 0
    parameters = {"stream": stream, "before": before}
    expired = "stream = {stream:String} AND event_date < {before:Date}"
    [(rows,)] = client.query(
        f"SELECT count() FROM {table} WHERE {expired}", parameters=parameters
    ).result_rows
    if rows:
        client.command(
            f"ALTER TABLE {table} DELETE WHERE {expired} SETTINGS mutations_sync = 2",
            parameters=parameters,
        )
    return int(rows)
