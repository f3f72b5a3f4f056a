"""What the warehouse tells of tracked accounts by day: rates, growth, frequency and quality."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import md5
from itertools import pairwise

import numpy as np
import pytest

from tests.integration.warehouse.collected.dbt_checks import run_checks
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

BEGIN = at("2026-03-01 12:00")
CHECKS = (
    *("followers_are_not_negative", "posts_a_week_are_not_negative"),
    *("at_most_twelve_posts_are_counted", "engagement_of_posts_is_not_negative"),
    *("completeness_is_a_part", "plausibility_is_a_part", "steadiness_is_a_part"),
    "quality_score_is_a_part",
)
COLUMNS = (
    *("followers", "growth_7_days", "growth_30_days", "posts_a_week", "posts_counted"),
    *("engagement_of_posts", "engagement_rate", "language", "largest_daily_change"),
    *("completeness", "plausibility", "steadiness", "quality_score"),
)
Told = dict[str, object]


def snapshot(day: float, **told: object) -> Row:
    """What every collection of an account has, so many days after `BEGIN`."""
    time = BEGIN + timedelta(days=day)
    return {"platform": "X", "account_id": "1", "event_time": time, "collected_at": time, **told}


def post(name: str, day: float, **told: object) -> Row:
    row = snapshot(day, post_id=name, post_version=name, **told)
    return {**row, "published_at": row["event_time"]}


def counters(name: str, day: float, likes: int | None, comments: int | None) -> Row:
    return snapshot(day, post_id=name, endpoint="posts", likes=likes, comments=comments)


def enrichment(warehouse: WarehouseUnderTest) -> dict[tuple[str, str, date], Told]:
    rows = warehouse.client.query(
        f"SELECT platform, account_id, event_date, {', '.join(COLUMNS)}\n"
        "FROM rollups.account_enrichment"
    ).result_rows
    return {tuple(row[:3]): dict(zip(COLUMNS, row[3:], strict=True)) for row in rows}


def of_day(warehouse: WarehouseUnderTest, day: int) -> Told:
    """The enrichment of the account X 1."""
    return enrichment(warehouse)["X", "1", (BEGIN + timedelta(days=day)).date()]


def test_the_rate_is_of_likes_and_comments_of_the_last_twelve_posts(
    warehouse: WarehouseUnderTest,
) -> None:
    posts = [post(f"p{number}", number) for number in range(14)]
    # Post p0 and p1 are older than the last twelve, and have the most.
    told = [counters(f"p{n}", 14, 900 if n < 2 else 10 * n, 4) for n in range(14)]
    warehouse.stream("posts_collected", *posts)
    warehouse.stream("post_counters", *told)
    warehouse.stream("profiles", snapshot(14, followers=1000), snapshot(15, followers=None))
    found = of_day(warehouse, 14)
    assert found["posts_counted"] == 12
    # Ten times the mean of 2 to 13, and four comments.
    assert found["engagement_of_posts"] == 79.0
    assert found["engagement_rate"] == pytest.approx(0.079)
    after = of_day(warehouse, 15)
    assert (after["engagement_of_posts"], after["engagement_rate"]) == (79.0, None)


def test_the_mean_is_of_the_posts_whose_likes_and_comments_are_known(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream("posts_collected", *(post(name, 0) for name in "abcd"))
    warehouse.stream("profiles", snapshot(-1, followers=10), snapshot(1, followers=0))
    warehouse.stream(
        "post_counters",
        counters("a", 1, 6, 2),
        counters("b", 1, 0, 0),
        counters("c", 1, 50, None),
        # After the day.
        counters("d", 2, 50, 50),
    )
    found = of_day(warehouse, 1)
    assert (found["posts_counted"], found["engagement_of_posts"]) == (2, 4.0)
    assert found["engagement_rate"] is None
    before = of_day(warehouse, -1)
    assert (before["posts_counted"], before["engagement_of_posts"]) == (0, None)
    assert before["posts_a_week"] is None


def test_posts_a_week_are_those_of_the_last_28_days(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("posts_collected", *(post(str(day), day) for day in (0, 1, 2, 20, 28)))
    days = (0, 27, 28, 56)
    warehouse.stream("profiles", *(snapshot(day, followers=1) for day in days))
    found = [of_day(warehouse, day)["posts_a_week"] for day in days]
    # Of days 1 to 28 the posts 1, 2, 20 and 28.
    assert found == [0.25, 1.0, 1.0, 0.0]


def test_the_language_is_the_most_frequent_one_that_the_platform_names(
    warehouse: WarehouseUnderTest,
) -> None:
    languages = ("en", "de", None, "de", "en", "en", *["de"] * 8)
    posts = [post(f"{n:02}", n, language=language) for n, language in enumerate(languages)]
    warehouse.stream("posts_collected", *posts)
    warehouse.stream("profiles", snapshot(-1), snapshot(2), snapshot(5), snapshot(13))
    found = [of_day(warehouse, day)["language"] for day in (-1, 2, 5, 13)]
    assert found == [None, "de", "en", "de"]


def test_the_quality_score_has_three_parts(warehouse: WarehouseUnderTest) -> None:
    complete = {"display_name": "N", "biography": "B", "picture_url": "P", "website": "W"}
    warehouse.stream("posts_collected", post("p", 0))
    warehouse.stream("post_counters", counters("p", 0, 440, 0))
    warehouse.stream(
        "profiles",
        snapshot(0, followers=1000, **complete),
        # 10 % in two days, which is 5 % a day; without a website.
        snapshot(2, followers=1100, **{**complete, "website": None}),
    )
    first, found = of_day(warehouse, 0), of_day(warehouse, 2)
    assert (first["completeness"], first["steadiness"], first["quality_score"]) == (1, None, None)
    assert first["plausibility"] == pytest.approx(0.2 / 0.44)
    assert found["completeness"] == 0.75
    assert found["engagement_rate"] == pytest.approx(0.4)
    assert found["plausibility"] == pytest.approx(0.5)
    assert found["largest_daily_change"] == pytest.approx(0.05)
    assert found["steadiness"] == pytest.approx(0.75)
    assert found["quality_score"] == pytest.approx(0.3 * 0.75 + 0.4 * 0.5 + 0.3 * 0.75)
    run_checks(warehouse, *CHECKS)


def test_too_little_engagement_and_great_jumps_are_no_quality(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream("posts_collected", post("p", 0))
    warehouse.stream("post_counters", counters("p", 0, 1, 0), counters("p", 40, 0, 0))
    followers = {0: 10_000, 1: 15_000, 30: 15_000, 31: 15_000, 40: 15_000}
    warehouse.stream("profiles", *(snapshot(d, followers=f) for d, f in followers.items()))
    found = {day: of_day(warehouse, day) for day in followers}
    assert found[0]["plausibility"] == pytest.approx(0.5)
    assert found[40]["plausibility"] == 0
    # The jump of day 1 counts for 30 days.
    assert [found[day]["steadiness"] for day in (1, 30, 31)] == [0, 0, 1]


def test_a_platform_of_ones_own_is_complete_with_a_name_and_a_biography(
    warehouse: WarehouseUnderTest,
) -> None:
    own = {"platform": "Mastodon", "display_name": "N"}
    warehouse.stream("profiles", snapshot(0, **own), snapshot(1, biography="B", **own))
    told = [each["completeness"] for _, each in sorted(enrichment(warehouse).items())]
    assert told == [0.5, 1.0]


@dataclass
class Collected:
    """Snapshots in order of landing, which is any."""

    profiles: list[Row]
    posts: list[Row]
    counters: list[Row]


def random_snapshots(seed: int) -> Collected:
    chance = np.random.default_rng(seed)

    def any_of(*values: object) -> object:
        return values[int(chance.integers(len(values)))]

    def account() -> Row:
        return {"platform": any_of("X", "TikTok"), "account_id": any_of("1", "2")}

    profiles = [
        snapshot(
            float(chance.integers(0, 60 * 24)) / 24,
            **account(),
            followers=any_of(None, 0, *(int(chance.integers(1, 400)) for _ in range(6))),
            display_name=any_of(None, "N"),
            website=any_of(None, "W"),
        )
        for _ in range(120)
    ]
    posts = [
        post(
            f"{number}",
            float(chance.integers(-20 * 24, 60 * 24)) / 24,
            **account(),
            language=any_of(None, "en", "de", "fr"),
        )
        for number in range(120)
    ]
    told = [
        counters(
            each["post_id"],
            float(chance.integers(-20 * 24, 60 * 24)) / 24,
            any_of(None, *(int(chance.integers(0, 90)) for _ in range(5))),  # type: ignore[arg-type]
            any_of(None, *(int(chance.integers(0, 9)) for _ in range(5))),  # type: ignore[arg-type]
        )
        | {name: each[name] for name in ("platform", "account_id")}
        for each in posts
        for _ in range(int(chance.integers(0, 6)))
    ]
    key = ("platform", "account_id", "post_id", "collected_at")
    return Collected(
        list({tuple(row[name] for name in key if name in row): row for row in profiles}.values()),
        posts,
        list({tuple(row[name] for name in key): row for row in told}.values()),
    )


def expected(collected: Collected, platform: str, account: str, day: date) -> Told:
    """The enrichment of a day, from snapshots one by one."""

    def own(rows: Sequence[Row], time: str = "collected_at") -> list[Row]:
        found = [r for r in rows if (r["platform"], r["account_id"]) == (platform, account)]
        return sorted((r for r in found if r[time].date() <= day), key=lambda r: r[time])

    profiles = own(collected.profiles)
    followers = {
        r["event_time"].date(): r["followers"] for r in profiles if r["followers"] is not None
    }
    now = followers.get(day)
    posts = sorted(own(collected.posts, "published_at"), key=_place)
    totals = []
    for each in posts[-12:]:
        told = [r for r in own(collected.counters) if r["post_id"] == each["post_id"]]
        numbers = [
            next((r[name] for r in reversed(told) if r[name] is not None), None)
            for name in ("likes", "comments")
        ]
        if None not in numbers:
            totals.append(sum(numbers))
    mean = sum(totals) / len(totals) if totals else None
    rate = mean / now if mean is not None and now else None
    recent = [r for r in posts if r["published_at"].date() > day - timedelta(days=28)]
    largest = _largest_change(followers, day)
    fields = [
        any(r.get(name) for r in profiles if r["event_time"].date() == day)
        for name in {
            "X": ("display_name", "biography", "picture_url", "website"),
            "TikTok": ("display_name", "biography", "picture_url"),
        }[platform]
    ]
    completeness = sum(fields) / len(fields)
    plausibility = None if rate is None else min(1, rate / 0.0002, 0.2 / rate if rate else 1)
    steadiness = None if largest is None else 1 - min(1, 5 * largest)
    languages = Counter(r["language"] for r in posts[-12:] if r["language"])
    return {
        "followers": now,
        "growth_7_days": _growth(followers, day, 7),
        "growth_30_days": _growth(followers, day, 30),
        "posts_a_week": len(recent) / 4 if posts else None,
        "posts_counted": len(totals),
        "engagement_of_posts": mean,
        "engagement_rate": rate,
        "language": min(languages, key=lambda each: (-languages[each], each), default=None),
        "largest_daily_change": largest,
        "completeness": completeness,
        "plausibility": plausibility,
        "steadiness": steadiness,
        "quality_score": None
        if plausibility is None or steadiness is None
        else 0.3 * completeness + 0.4 * plausibility + 0.3 * steadiness,
    }


def _place(row: Row) -> tuple[datetime, bytes]:
    """Posts of one time are in order of their keys."""
    return row["published_at"], md5(row["post_id"].encode(), usedforsecurity=False).digest()


def _growth(followers: dict[date, int], day: date, days: int) -> float | None:
    now, before = followers.get(day), followers.get(day - timedelta(days=days))
    return now / before - 1 if now is not None and before else None


def _largest_change(followers: dict[date, int], day: date) -> float | None:
    known = sorted(followers)
    changes = [
        abs(followers[later] - followers[before]) / followers[before] / (later - before).days
        for before, later in pairwise(known)
        if followers[before] and later > day - timedelta(days=30)
    ]
    return max(changes, default=None)


def close(found: object, wanted: object) -> bool:
    if isinstance(found, float) and isinstance(wanted, int | float):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)
    return found == wanted


@pytest.mark.parametrize("seed", range(2))
def test_enrichment_is_what_snapshots_tell_in_any_order_of_landing(
    warehouse: WarehouseUnderTest, seed: int
) -> None:
    collected = random_snapshots(seed)
    streams = {
        "profiles": collected.profiles,
        "posts_collected": collected.posts,
        "post_counters": collected.counters,
    }
    parts = [
        (name, part)
        for name, rows in streams.items()
        for part in np.array_split(np.arange(len(rows)), 3)
    ]
    np.random.default_rng(seed).shuffle(parts)
    for name, part in parts:
        warehouse.stream(name, *(streams[name][number] for number in part))
    found = enrichment(warehouse)
    days = {(r["platform"], r["account_id"], r["event_time"].date()) for r in collected.profiles}
    assert set(found) == days
    for key, told in found.items():
        wanted = expected(collected, *key)
        differing = {n: (told[n], wanted[n]) for n in COLUMNS if not close(told[n], wanted[n])}
        assert not differing, key
    run_checks(warehouse, *CHECKS)
