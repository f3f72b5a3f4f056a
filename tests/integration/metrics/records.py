"""Records of all streams around the changes of clocks in spring, and some of the year before.

Times stand at the edges of hours and days, ids need quoting, and one post is named like the rest
of an answer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5
from random import Random

from tests.integration.warehouse.conftest import Row

FIRST, DAYS = datetime(2026, 3, 1, tzinfo=UTC), 43
YEAR_BEFORE, DAYS_BEFORE = datetime(2025, 3, 20, tzinfo=UTC), 12

PLATFORMS = ("TikTok", "YouTube", "X", "Unknown")
ACCOUNTS = ("1", "01", "UC-x_9", "4", "5", "6")
POSTS = ("1", "01", "others", "it's", "a,b", "Ünï\\code", "", "p1", "p2", "p3")
COLLECTED_POSTS = tuple(post for post in POSTS if post)
KINDS = ("like", "comment", "share", "click", "view", "impression", "reach", "follow", "rating")
DEVICES = ("Smartphone", "Tablet", "Computer")
REASONS = ("Habit", "Boredom", "Procrastination")
AGES = ("13-17", "18-24", "65+")
GENDERS = ("Male", "Female", "Other")
COUNTERS = ("likes", "comments", "shares", "views")
TEXT_STREAMS = ("posts", "posts_collected", "comments")
LABELS = ("negative", "neutral", "positive")
STATUSES = ("Member", "Moderator", "Left")
COMMUNITIES = tuple(str(number) for number in range(5))

_EDGES = (
    timedelta(),
    timedelta(microseconds=-1),
    timedelta(microseconds=1),
    timedelta(minutes=30),
    timedelta(minutes=45),
)


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - test data


def _time(random: Random) -> datetime:
    """Often at the edge of an hour: zones begin their days at full, half and quarter hours."""
    is_now = random.random() < 0.85
    first, days = (FIRST, DAYS) if is_now else (YEAR_BEFORE, DAYS_BEFORE)
    hour = first + timedelta(hours=random.randrange(1, 24 * days - 1))
    if random.random() < 0.5:
        return hour + random.choice(_EDGES)
    return hour + timedelta(seconds=random.randrange(3600), microseconds=random.randrange(10**6))


def engagement(count: int) -> list[Row]:
    random = _seeded(1)
    return [
        {
            "event_id": f"e{number}",
            "event_time": _time(random),
            "platform": random.choice(PLATFORMS),
            "account_id": random.choice(ACCOUNTS),
            "post_id": random.choice(POSTS),
            "user_id": random.choice(("Unknown", *map(str, range(200)))),
            "metric_type": random.choice(KINDS),
            "value": random.choice((0.0, 1.0, 1.0, random.uniform(0, 90), random.uniform(0, 1e7))),
        }
        for number in range(count)
    ]


def videos(count: int) -> list[Row]:
    random = _seeded(2)
    return [
        {
            "user_id": str(random.randrange(150)),
            "video_id": str(number % 30),
            "event_time": _time(random),
            "age": 20,
            "age_group": random.choice(AGES),
            "gender": random.choice(GENDERS),
            "platform": random.choice(PLATFORMS[:2]),
            "watch_reason": random.choice(REASONS),
            "device_type": random.choice(DEVICES),
            "hour": random.choice((None, *range(24))),
            "engagement": random.uniform(0, 1000),
            "time_spent_on_video": random.uniform(0.1, 60),
            "productivity_loss": float(random.randrange(11)),
            "satisfaction": float(random.randrange(11)),
            "self_control": float(random.randrange(11)),
            "addiction_level": float(random.randrange(11)),
        }
        for number in range(count)
    ]


def live(count: int) -> list[Row]:
    random = _seeded(3)
    return [
        {
            "event_id": str(number % 20),
            "event_type": "Sports",
            "user_id": str(random.randrange(150)),
            "event_time": _time(random),
            "platform": random.choice(PLATFORMS[1:]),
            "device_type": random.choice(DEVICES),
            "hour": random.choice((None, *range(24))),
            "live_engagement": random.uniform(0, 1000),
            "viewer_count": float(random.randrange(1, 100_000)),
            "stream_duration": random.uniform(1, 300),
            "addiction_level": float(random.randrange(11)),
        }
        for number in range(count)
    ]


def communities(count: int) -> list[Row]:
    random = _seeded(4)
    return [
        {
            "community_id": random.choice(COMMUNITIES),
            "community_name": "A community",
            "user_id": str(random.randrange(150)),
            "event_time": _time(random),
            "platform": random.choice(("Reddit", "X")),
            "age": 30,
            "age_group": random.choice(AGES),
            "gender": random.choice(GENDERS),
            "membership_status": random.choice(STATUSES),
            "community_engagement": random.uniform(0, 100),
            "total_time_spent": random.uniform(0, 500),
        }
        for _ in range(count)
    ]


def profiles(count: int) -> list[Row]:
    """Followers rise and fall; some days have no collection, some collections no number."""
    random = _seeded(5)
    return [
        {
            "platform": random.choice(PLATFORMS[:2]),
            "account_id": random.choice(ACCOUNTS),
            "event_time": (time := _time(random)),
            "collected_at": time,
            "followers": random.choice((None, 0, *[random.randrange(10**9) for _ in range(8)])),
        }
        for _ in range(count)
    ]


def collected_posts() -> list[Row]:
    random = _seeded(6)
    return [
        {
            "post_version": f"{platform}-{post}",
            "platform": platform,
            "account_id": random.choice(ACCOUNTS),
            "post_id": post,
            "event_time": (time := _time(random)),
            "published_at": time,
            "collected_at": time,
        }
        for platform in PLATFORMS[:2]
        for post in COLLECTED_POSTS
    ]


def counters(count: int) -> list[Row]:
    """Of the collected posts, and of one that is not known; counters fall, too."""
    random = _seeded(7)
    found: list[Row] = []
    for post in collected_posts():
        for _ in range(count):
            time = post["published_at"] + timedelta(minutes=random.randrange(60 * 24 * 9))
            told = {name: random.choice((None, random.randrange(90))) for name in COUNTERS}
            known = {name: post[name] for name in ("platform", "account_id", "post_id")}
            found.append(
                {**known, "endpoint": "posts", "event_time": time, "collected_at": time, **told}
            )
    return found


def texts(count: int) -> list[Row]:
    """Rows of `text.sentiment`, as the asset of this name leaves them."""
    random = _seeded(8)
    return [
        {
            "event_date": (time := _time(random)).date(),
            "event_time": time,
            "stream": random.choice(TEXT_STREAMS),
            "platform": random.choice(PLATFORMS),
            "text_id": str(number),
            "account_id": random.choice(ACCOUNTS),
            "post_id": random.choice(POSTS),
            "text_hash": number,
            "score": (score := random.choice((0.0, random.uniform(-1, 1)))),
            "label": LABELS[1 + (score >= 0.05) - (score <= -0.05)],
            "model": "lexicon",
            "model_version": "1",
        }
        for number in range(count)
    ]


def unusual(count: int) -> dict[str, list[Row]]:
    """Rows of the tables of unusual behaviour, as dbt leaves them; other columns are empty."""
    random = _seeded(10)
    sessions: list[Row] = [
        {
            "event_date": (time := _time(random)).date(),
            "event_time": time,
            "platform_key": _key(random.choice(PLATFORMS)),
            "user_key": _key(str(random.randrange(40))),
            "kind": random.choice(("burst", "regular", "too_fast")),
            "events": random.randint(10, 90),
        }
        for _ in range(count)
    ]
    bursts: list[Row] = [
        {
            "event_date": (time := _time(random)).date(),
            "event_time": time,
            "platform_key": _key(random.choice(PLATFORMS)),
            "authors": (authors := random.randint(5, 20)),
            "texts": authors + random.randint(0, 9),
        }
        for _ in range(count)
    ]
    return {"unusual_sessions": sessions, "coordinated_texts": bursts}


def _key(label: str) -> bytes:
    return md5(label.encode(), usedforsecurity=False).digest()


def recommendations(count: int) -> dict[str, list[Row]]:
    """Items that were shown, and what users did with a half of them at once."""
    random = _seeded(9)
    shown: list[Row] = []
    for number in range(count):
        time = _time(random)
        shown.append(
            {
                "exposure_id": f"s{number}",
                "position": random.randrange(1, 13),
                "shown_at": time,
                "event_time": time,
                "platform": random.choice(PLATFORMS),
                "user_id": random.choice(("Unknown", *map(str, range(50)))),
                "item_id": random.choice(COLLECTED_POSTS),
                "model": random.choice(("als", "blend", "popularity")),
                "placement": random.choice(("home_feed", "it's")),
            }
        )
    given = [
        {
            "feedback_id": f"{kind} {each['exposure_id']}",
            "happened_at": each["shown_at"],
            "event_time": each["shown_at"],
            **{name: each[name] for name in ("platform", "user_id", "item_id")},
            "kind": kind,
            "dwell_seconds": random.uniform(0, 90) if kind == "dwell" else None,
        }
        for each in shown
        for kind in ("click", "skip", "dwell")
        if random.random() < 0.5
    ]
    return {"recommendation_exposures": shown, "recommendation_feedback": given}


def of_all_streams() -> dict[str, list[Row]]:
    return {
        "engagement_events": engagement(6_000),
        "video_interactions": videos(1_200),
        "live_streaming": live(800),
        "community_interactions": communities(800),
        "profiles": profiles(300),
        "posts_collected": collected_posts(),
        "post_counters": counters(12),
    }
