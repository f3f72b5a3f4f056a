"""The new posts that may be tried, and those that were shown with a known chance.

Belongs here: both queries. What is learned of them belongs to `policy`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from social_assets.recommend.interactions import FACT, POSTS, USERS

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

NEW_DAYS, FEW_USERS, MOST_POSTS = 30, 20, 200
"""A post is new if it was first seen in so many days and fewer users have it; the newest of them
are tried."""

LEARNED_DAYS = 90
"""Days of exposures that are learned from."""

_MOST_SHOWN = 1_000_000
_WAITING = timedelta(hours=1)
"""What was shown a shorter time ago may still be clicked: it is learned from later."""

EXPOSURES = "features.recommendation_exposures"

_NEW = f"""
SELECT posts.post_id AS item_id
FROM {POSTS} AS posts
LEFT ANY JOIN (
    SELECT post_key, uniqExact(user_key) AS users
    FROM {FACT}
    WHERE event_date >= {{from_day:Date}}
    GROUP BY post_key
) AS known ON posts.post_key = known.post_key
WHERE posts.first_seen_at >= {{from_day:Date}}
    AND posts.post_id NOT IN ('', 'Unknown')
    AND known.users < {{few:UInt32}}
ORDER BY posts.first_seen_at DESC, item_id
LIMIT {{most:UInt32}}
"""

_TRIED = f"""
SELECT
    toInt64(reinterpretAsInt64(substring(exposures.user_key, 1, 8))) AS user,
    posts.post_id AS item_id,
    ifNull(users.age_group, '') AS user_group,
    exposures.event_date AS day,
    exposures.position AS position,
    assumeNotNull(exposures.propensity) AS chance,
    exposures.is_clicked AS clicked
FROM {EXPOSURES} AS exposures
LEFT ANY JOIN (SELECT post_key, post_id FROM {POSTS}) AS posts
    ON exposures.item_key = posts.post_key
LEFT ANY JOIN (SELECT user_key, age_group FROM {USERS}) AS users
    ON exposures.user_key = users.user_key
WHERE exposures.event_date >= {{from_day:Date}}
    AND exposures.event_time < {{until:DateTime64(6, 'UTC')}}
    AND exposures.propensity > 0 AND exposures.propensity <= 1
    AND posts.post_id != ''
ORDER BY exposures.event_time DESC, exposures.exposure_id, exposures.position
LIMIT {{most:UInt32}}
"""

_GROUPS = f"SELECT DISTINCT age_group FROM {USERS} WHERE age_group NOT IN ('', 'Unknown')"


def read_new_posts(client: Client, now: datetime) -> list[str]:
    """The new posts, the newest first."""
    parameters = {
        "from_day": (now - timedelta(days=NEW_DAYS)).date(),
        "few": FEW_USERS,
        "most": MOST_POSTS,
    }
    return [row[0] for row in client.query(_NEW, parameters=parameters).result_rows]


def read_groups(client: Client) -> list[str]:
    """The groups of users whose clicks are told apart; the empty one is of all others."""
    return sorted({"", *(row[0] for row in client.query(_GROUPS).result_rows)})


def read_tried(client: Client, now: datetime) -> pa.Table:
    """What was drawn, with its chance, and whether it was clicked: user, item_id, user_group, day,
    position, chance, clicked. None without the table of exposures.
    """
    import pyarrow as pa

    if not client.command(f"EXISTS TABLE {EXPOSURES}"):
        kinds = {"user": pa.int64(), "item_id": pa.string(), "user_group": pa.string()}
        kinds |= {"day": pa.date32(), "position": pa.uint16()}
        kinds |= {"chance": pa.float64(), "clicked": pa.uint8()}
        return pa.schema(kinds).empty_table()
    found: pa.Table = client.query_arrow(
        _TRIED,
        parameters={
            "from_day": (now - timedelta(days=LEARNED_DAYS)).date(),
            "until": now - _WAITING,
            "most": _MOST_SHOWN,
        },
        use_strings=True,
    )
    return found
