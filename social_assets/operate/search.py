"""Searches in the home's warehouse, for the command line.

Belongs here: asking. What a search means, and how it is answered, belongs to `serving.search`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from resources.clickhouse.resource import ClickHouseResource
from social_assets.serving.search.ask import find
from social_assets.serving.search.found import FoundDocuments
from social_assets.serving.search.question import SearchTexts
from social_assets.serving.search.read import read_search

COMMENT = "social-assets search"


def found_by(texts: SearchTexts) -> FoundDocuments:
    """The first page of what texts ask for. Raises SearchError, and clickhouse-connect's errors."""
    search = read_search(texts, datetime.now(UTC))
    with ClickHouseResource().client(COMMENT) as client:
        return find(client, search)
