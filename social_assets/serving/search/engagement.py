"""Reactions to the matches of a search, by which they are ordered.

Belongs here: reading them from the rollups. The reactions to a post are those that arrived as
events, or those that its counters showed, whichever are more; of a comment its likes when it was
collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from social_assets.contracts.engagement_events import ENGAGING
from social_assets.serving.search.places import (
    AT_PLACES,
    PLACE,
    Match,
    by_rank,
    place_parameters,
)
from social_assets.warehouse.search_tables import DOCUMENTS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_KEYS = "MD5(platform), MD5(account_id), MD5(document_id)"
_OF_MATCHES = (
    "(account_key, post_key) IN (\n"
    "  SELECT MD5(account_id), MD5(document_id) FROM matches WHERE kind = 'post')\n"
    "  AND event_date >= (SELECT min(event_date) FROM matches)"
)
_QUERY = (
    "WITH matches AS (\n"
    "  SELECT event_time, event_date, document_id, platform, kind, account_id, likes\n"
    f"  FROM {DOCUMENTS} WHERE {AT_PLACES}),\n"
    "told AS (\n"
    "  SELECT platform_key, account_key, post_key, sum(value_sum) AS reactions\n"
    "  FROM rollups.engagement_daily\n"
    f"  WHERE metric_type IN {ENGAGING}\n"
    f"    AND {_OF_MATCHES}\n"
    "  GROUP BY platform_key, account_key, post_key),\n"
    "shown AS (\n"
    "  SELECT platform_key, account_key, post_key,\n"
    "    sum(initial_sum + added_sum - taken_back_sum) AS reactions\n"
    "  FROM rollups.post_counters_daily\n"
    "  WHERE counter IN ('likes', 'comments', 'shares')\n"
    f"    AND {_OF_MATCHES}\n"
    "  GROUP BY platform_key, account_key, post_key),\n"
    "keyed AS (\n"
    "  SELECT *, MD5(platform) AS platform_key, MD5(account_id) AS account_key,\n"
    "    MD5(document_id) AS post_key\n"
    "  FROM matches)\n"
    f"SELECT {PLACE}, if(kind = 'comment', toFloat64(likes),\n"
    "  greatest(toFloat64(told.reactions), toFloat64(shown.reactions))) AS engagement\n"
    "FROM keyed\n"
    "LEFT JOIN told USING (platform_key, account_key, post_key)\n"
    "LEFT JOIN shown USING (platform_key, account_key, post_key)"
)


def with_engagement(client: Client, matches: Sequence[Match]) -> list[Match]:
    """Matches with their reactions, the most first; of equal ones the newest first."""
    if not matches:
        return []
    rows = client.query(_QUERY, parameters=place_parameters(matches)).result_rows
    return by_rank([Match(*row) for row in rows])
