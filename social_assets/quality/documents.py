"""Whether search finds each current text of some days, and nothing else.

Belongs here: what the check of documents computes, without Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from social_assets.quality.texts import of_days
from social_assets.transform.text.documents import current_texts
from social_assets.transform.text.sources import present_sources
from social_assets.warehouse.search_tables import DOCUMENTS, KINDS, filter_token, folded, words
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_IDENTITY = "event_date, kind, platform, document_id, text_hash"


@dataclass(frozen=True)
class DocumentCounts:
    """Current texts of some days beside the documents that search has."""

    texts: int
    missing: int
    stale: int
    """Documents of texts that are gone or changed."""
    doubled: int
    not_in_index: int
    """Documents that the index does not give by their kind, or that lack the token of a word."""

    @property
    def is_right(self) -> bool:
        """Whether each text is one document that is found, and each document its text."""
        return not (self.missing or self.stale or self.doubled or self.not_in_index)


def count_documents(client: Client, days: Sequence[date] | None) -> DocumentCounts:
    """Compare the texts of some days, or of all days that have documents, with the documents.

    Without the table nothing is counted.
    """
    if not exists(client, DOCUMENTS):
        return DocumentCounts(0, 0, 0, 0, 0)
    where = of_days(DOCUMENTS, days)
    sources = present_sources(client)
    rows = f"SELECT {_IDENTITY.replace('text_hash', 'cityHash64(content)')} FROM {DOCUMENTS}"
    rows += f" WHERE {where}"
    texts = (
        f"SELECT {_IDENTITY} FROM ({current_texts(sources, where)})"
        if sources
        else f"{rows} AND false"
    )
    [(total, missing)] = client.query(
        f"SELECT count(), countIf(({_IDENTITY}) NOT IN ({rows})) FROM ({texts})"
    ).result_rows
    [(stale, doubled)] = client.query(
        f"SELECT countIf(tuple(*) NOT IN ({texts})), count() - uniqExact(tuple(*)) FROM ({rows})"
    ).result_rows
    return DocumentCounts(
        int(total), int(missing), int(stale), int(doubled), _not_in_index(client, where)
    )


def _not_in_index(client: Client, where: str) -> int:
    """Documents that the index does not give by their kind, or that lack the token of a word."""
    kinds = {"kinds": [filter_token("kind", kind) for kind in KINDS]}
    [(rows, lacking)] = client.query(
        "SELECT count(), countIf(NOT hasAll(tokens, in_order)) FROM (\n"
        f"  SELECT tokens, {words('plain')} AS in_order FROM (\n"
        f"    SELECT tokens, {folded('content')} AS plain FROM {DOCUMENTS} WHERE {where}))"
    ).result_rows
    [(given,)] = client.query(
        f"SELECT count() FROM {DOCUMENTS} WHERE {where}"
        " AND hasAnyTokens(tokens, {kinds:Array(String)})",
        parameters=kinds,
    ).result_rows
    return int(lacking) + max(0, int(rows) - int(given))
