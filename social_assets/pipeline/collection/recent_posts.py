"""The posts that a platform is asked about: recent ones of tracked accounts, from the warehouse.

Belongs here: which posts these are. Asking about them belongs to the connectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from social_assets.warehouse.loader import ClientFactory
from social_assets.warehouse.present_tables import present_tables

RECENT = timedelta(days=14)
"""Comments and counters of posts that are older are asked for by the daily full refresh alone."""
MOST_POSTS = 1_000
"""Of an account, newest first."""
_STILL_SHOWN = timedelta(days=3)
"""A post without counters for so long is deleted: every collection of posts gives them."""

_TABLES = {"cleaned.posts_collected", "cleaned.post_counters"}
_POSTS = """
    SELECT account_id, post_id
    FROM (
        SELECT platform, account_id, post_id, min(published_at) AS first_published_at
        FROM cleaned.posts_collected
        WHERE platform = {platform:String} AND account_id IN {accounts:Array(String)}
            AND event_date >= toDate({published_after:DateTime64(6, 'UTC')})
        GROUP BY platform, account_id, post_id
    ) AS posts
    WHERE post_id IN (
        SELECT post_id
        FROM cleaned.post_counters
        WHERE platform = {platform:String} AND account_id IN {accounts:Array(String)}
            AND event_date >= toDate({shown_after:DateTime64(6, 'UTC')})
            AND collected_at >= {shown_after:DateTime64(6, 'UTC')}
    )
    ORDER BY account_id, first_published_at DESC, post_id
    LIMIT {most:UInt32} BY account_id
"""


def posts_of(
    clickhouse: ClientFactory,
    platform: str,
    accounts: Iterable[str],
    *,
    published_after: datetime,
    at: datetime,
) -> dict[str, tuple[str, ...]]:
    """The ids of each account's posts that were published after a time and still exist."""
    found: dict[str, list[str]] = {}
    asked = sorted(set(accounts))
    if not asked:
        return {}
    parameters = {
        "platform": platform,
        "accounts": asked,
        "published_after": published_after,
        "shown_after": at - _STILL_SHOWN,
        "most": MOST_POSTS,
    }
    with clickhouse.client("recent posts") as client:
        if not present_tables(client, ["cleaned"]) >= _TABLES:
            # Nothing was collected yet: the first rows of a stream make its table.
            return {}
        for account, post in client.query(_POSTS, parameters=parameters).result_rows:
            found.setdefault(account, []).append(post)
    return {account: tuple(posts) for account, posts in found.items()}
