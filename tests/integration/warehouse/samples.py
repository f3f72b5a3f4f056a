"""Two days of all five streams: small, with nulls, unknowns, shared users and late times."""

from __future__ import annotations

from datetime import date, timedelta

from tests.integration.warehouse.conftest import Row, at

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 3)


def engagement(count: int = 300) -> list[Row]:
    return [
        {
            "event_id": f"e{number}",
            "event_time": at("2026-01-01 00:00") + timedelta(minutes=13 * number % 4320),
            "platform": ("TikTok", "YouTube", "Unknown")[number % 3],
            "account_id": str(1 + number % 5),
            "post_id": f"p{number % 11}",
            "user_id": "Unknown" if number % 17 == 0 else str(1 + number % 23),
            "metric_type": ("like", "share", "rating")[number % 3],
            "value": number % 7 + 0.5,
        }
        for number in range(count)
    ]


def videos(count: int = 120) -> list[Row]:
    return [
        {
            "user_id": str(1 + number % 23),
            "video_id": str(1 + number),
            "event_time": at("2026-01-01 21:15") + timedelta(days=number % 3),
            "age": 18 + number % 40,
            "age_group": "18-24",
            "gender": ("Male", "Female", "Unknown")[number % 3],
            "platform": ("TikTok", "YouTube")[number % 2],
            "watch_reason": ("Habit", "Boredom")[number % 2],
            "device_type": ("Smartphone", "Unknown")[number % 2],
            "watch_time": None if number % 10 == 0 else "21:15:00",
            "hour": None if number % 10 == 0 else 21,
            "engagement": float(number),
            "time_spent_on_video": number / 7,
            "addiction_level": float(number % 10),
        }
        for number in range(count)
    ]


def live(count: int = 60) -> list[Row]:
    return [
        {
            "event_id": str(1 + number),
            "event_type": ("Sports", "Gaming")[number % 2],
            "user_id": str(1 + number % 31),
            "event_time": at("2026-01-01 20:00") + timedelta(days=number % 3),
            "platform": "Facebook",
            "device_type": ("Tablet", "Smartphone")[number % 2],
            "watch_time": "20:00:00",
            "hour": 20,
            "live_engagement": number / 3,
            "viewer_count": float(number * 10),
            "stream_duration": 30.0,
        }
        for number in range(count)
    ]


def communities(count: int = 60) -> list[Row]:
    return [
        {
            "community_id": str(1 + number % 4),
            "community_name": f"Community {number % 4}",
            "user_id": str(1 + number),
            "event_time": at("2026-01-01 08:00") + timedelta(days=number % 3),
            "platform": "Reddit",
            "age": 30,
            "age_group": "25-34",
            "gender": "Female",
            "membership_status": ("Member", "Moderator")[number % 2],
            "community_engagement": number / 9,
            "total_time_spent": float(number),
        }
        for number in range(count)
    ]


def posts(count: int = 9) -> list[Row]:
    return [
        {
            "post_id": f"p{number}",
            "account_id": str(1 + number % 5),
            "event_time": at("2026-01-02 12:00"),
            "platform": "TikTok",
            "content": f"It's post {number}",
            "tags": ["a", "it's"],
            "media_type": "Video",
            "published_at": at("2025-12-31 12:00"),
        }
        for number in range(count)
    ]


def counters(count: int = 120) -> list[Row]:
    return [
        {
            "event_time": (time := at("2026-01-01 00:30") + timedelta(minutes=36 * number)),
            "collected_at": time,
            "platform": ("TikTok", "YouTube")[number % 2],
            "account_id": str(1 + number % 2),
            "post_id": f"p{number % 4}",
            "endpoint": ("videos", "videos_by_id")[number % 3 % 2],
            "likes": number * 7 % 50,
            "views": number if number % 5 else None,
        }
        for number in range(count)
    ]


def profiles(count: int = 30) -> list[Row]:
    return [
        {
            "event_time": (time := at("2026-01-01 00:30") + timedelta(minutes=143 * number)),
            "collected_at": time,
            "platform": ("TikTok", "YouTube")[number % 2],
            "account_id": str(1 + number % 2),
            "handle": f"handle {number % 7}" if number % 3 else None,
            "followers": 100 + number if number % 4 else None,
        }
        for number in range(count)
    ]


STREAMS = {
    "engagement_events": engagement,
    "video_interactions": videos,
    "live_streaming": live,
    "community_interactions": communities,
    "posts": posts,
}
COLLECTED = {"post_counters": counters, "profiles": profiles}
"""Snapshots of tracked accounts."""
