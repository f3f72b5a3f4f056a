"""Videos as items beside posts: what a user's watching of a video weighs.

Here belongs the query. What watching says is a fact of the stream and stands in its contract; the
other half of the matrix, and how both are read, in `recsys_interactions`.
"""

import os
from typing import Any

from social_assets.contracts.video_interactions import HALF_LIFE, LENGTH, WATCHED, WATCHED_WEIGHT

VIDEO_FACT, VIDEOS = "star.fact_video_interactions", "star.dim_video"

VARIABLE = "SOCIAL_ASSETS_RECOMMEND_VIDEOS"
"""The environment variable that makes videos items: `1`."""

BY_DEFAULT = os.environ.get(VARIABLE) == "1"
"""Not unless asked for: lists of posts would become lists of both."""

ITEM_PREFIX = "video:"
"""What the id of a video begins with where it is an item, so that no post has the same."""

# A row a user, video and day, in the columns of the query of posts. A video without a length was
# watched as a whole.
WATCHED_VIDEOS = f"""
SELECT
    users.user_id AS user_id,
    concat('{ITEM_PREFIX}', toString(videos.video_id)) AS item_id,
    toDateTime64(watched.event_date, 6, 'UTC') AS event_time,
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
        max(event_time) AS newest
    FROM {VIDEO_FACT}
    WHERE event_date >= {{from_day:Date}}
    GROUP BY user_key, video_key, event_date
) AS watched
LEFT ANY JOIN (SELECT user_key, user_id FROM star.dim_user) AS users
    ON watched.user_key = users.user_key
LEFT ANY JOIN (SELECT video_key, video_id FROM {VIDEOS}) AS videos
    ON watched.video_key = videos.video_key
"""

KNOWN_VIDEOS = f"SELECT concat('{ITEM_PREFIX}', toString(video_id)) FROM {VIDEOS}"
"""The ids of all videos as items."""

WATCHING: dict[str, Any] = {
    "watched_weight": WATCHED_WEIGHT,
    "watched_half_life_days": HALF_LIFE.total_seconds() / 86_400,
}
"""The parameters of the query, but for the days."""
