"""Adds videos to the items that recommenders learn from.

Belongs here: the query. The weight of watching belongs to the stream's contract; the matrix's other
half, and reading both, belongs to `interactions`.
"""

import os
from typing import Any

from social_assets.contracts.video_interactions import HALF_LIFE, LENGTH, WATCHED, WATCHED_WEIGHT

VIDEO_FACT, VIDEOS = "star.fact_video_interactions", "star.dim_video"

VARIABLE = "SOCIAL_ASSETS_RECOMMEND_VIDEOS"
"""The environment variable that adds videos as items: `1`."""

BY_DEFAULT = os.environ.get(VARIABLE) == "1"
"""Off by default: with videos, lists of posts become lists of both."""

ITEM_PREFIX = "video:"
"""The prefix of a video's id as an item, so that no post has the same id."""

ONLY_USERS = (
    "(empty({only_users:Array(String)})"
    " OR user_key IN (SELECT MD5(arrayJoin({only_users:Array(String)}))))"
)
"""A condition on facts: the users of the parameter, or all if it names none."""

# One row for a user, video and day, with the columns of the query of posts. A video without a
# length counts as watched completely.
WATCHED_VIDEOS = f"""
SELECT
    users.user_id AS user_id,
    concat('{ITEM_PREFIX}', videos.video_id) AS item_id,
    watched.oldest AS event_time,
    toFloat64(watched.points) * {{watched_weight:Float64}} * exp2(
        -dateDiff('day', watched.event_date, {{weighed_on:Date}})
            / {{watched_half_life_days:Float64}}
    ) AS weight,
    watched.events AS events,
    watched.newest AS newest
FROM (
    SELECT
        user_key,
        video_key,
        event_date,
        sum(toDecimal64(if({LENGTH} > 0, least({WATCHED} / {LENGTH}, 1.), 1.), 6)) AS points,
        count() AS events,
        min(event_time) AS oldest,
        max(event_time) AS newest
    FROM {VIDEO_FACT}
    WHERE event_date >= {{from_day:Date}}
        AND {ONLY_USERS}
    GROUP BY user_key, video_key, event_date
) AS watched
LEFT ANY JOIN (SELECT user_key, user_id FROM star.dim_user) AS users
    ON watched.user_key = users.user_key
LEFT ANY JOIN (SELECT video_key, video_id FROM {VIDEOS}) AS videos
    ON watched.video_key = videos.video_key
"""

KNOWN_VIDEOS = f"SELECT concat('{ITEM_PREFIX}', video_id) FROM {VIDEOS}"
"""The ids of all videos as items."""

WATCHING: dict[str, Any] = {
    "watched_weight": WATCHED_WEIGHT,
    "watched_half_life_days": HALF_LIFE.total_seconds() / 86_400,
}
"""The parameters of the query, except the days."""
