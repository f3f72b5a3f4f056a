"""Days of collection with faults and kills: what is cleaned is what the server holds, and once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.demo.platforms.process import platform_server
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.demo.served_accounts import asked_at, track_served
from social_assets.ingest.connectors.registry import connector_of
from tests.e2e.collection.served_platforms import ServedPlatforms

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(900)]

SEED = 11
ACCOUNTS = int(os.environ.get("COLLECTED_ACCOUNTS", "1"))
"""Of each platform."""
Held = dict[str, dict[str, Any]]
"""What the server holds of a platform, by account."""
WITHOUT_ALL_COMMENTS = ("x", "tiktok")
"""X finds replies of the last seven days, TikTok gives none."""
KILLS = int(os.environ.get("COLLECTION_KILLS", "4"))
HOURS = (0, 1, 30, 72)
"""When everything is collected, in hours of the simulated days."""
FAULTS = dict.fromkeys(
    ("throttled", "error_500", "error_502", "error_503", "slow", "cut", "invalid_json"), 1
) | {"repeated_page": 1}


@pytest.fixture(scope="module")
def served(home: Home) -> Iterator[ServedPlatforms]:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=HOURS[-1] + 2)
    with (
        pytest.MonkeyPatch.context() as patch,
        platform_server(seed=SEED, accounts=ACCOUNTS, now=began.isoformat()) as url,
        asked_at(url),
    ):
        for window in ("DAY", "MONTH"):
            patch.setenv(f"SOCIAL_ASSETS_X_DOLLARS_A_{window}", "10000")
        found = ServedPlatforms(url, home)
        found.post("/__faults", rate=0.1, slow_seconds=0.01, kinds=FAULTS)
        track_served(url, home, CollectionPlan())
        with ClickHouseResource().client():
            yield found


def start(served: ServedPlatforms) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.e2e.collection.collect_worker"]
    return subprocess.Popen([*command, served.url], text=True, stdout=subprocess.PIPE)


def collect(served: ServedPlatforms) -> str:
    """Collect until nothing is due: what has failed waits a minute, then longer."""
    told = ""
    for _ in range(12):
        worker = start(served)
        told = worker.communicate()[0]
        assert worker.returncode == 0, told
        if ";" not in told:
            return told
        served.post("/__clock", advance_seconds=120)
    raise AssertionError(f"it still fails: {told}")


def is_killed_after(served: ServedPlatforms, calls: int) -> bool:
    """Kill a worker once it has made this number of calls; False if it ended before."""
    before = calls_made(served)
    worker = start(served)
    while worker.poll() is None and calls_made(served) < before + calls:
        time.sleep(0.05)
    is_killed = worker.poll() is None
    worker.kill()
    worker.communicate()
    return is_killed


def calls_made(served: ServedPlatforms) -> int:
    return sum(each["calls"] for each in served.get("/__ledger")["calls"])


def rows(query: str) -> list[tuple[Any, ...]]:
    with ClickHouseResource().client() as client:
        return [tuple(row) for row in client.query(query).result_rows]


def test_what_is_collected_is_what_the_server_holds(served: ServedPlatforms) -> None:
    chosen = random.Random(SEED)  # noqa: S311 - not for cryptography
    kills, reached = 0, HOURS[0]
    for hours in HOURS:
        served.post("/__clock", advance_seconds=(hours - reached) * 3600)
        reached = hours
        before_the_last = {platform: served.truth(platform) for platform in PLATFORMS}
        for _ in range(KILLS // len(HOURS)):
            kills += is_killed_after(served, chosen.randint(5, 100))
        collect(served)
    assert kills > 0, "every worker had collected all before it could be killed"
    for platform in PLATFORMS:
        after = served.truth(platform)
        earlier = before_the_last[platform]
        assert_posts_are_held(platform, earlier, after)
        if platform not in WITHOUT_ALL_COMMENTS:
            assert_comments_are_held(platform, earlier, after)
    for table, key in (("posts_collected", "post_version"), ("comments", "(platform, comment_id)")):
        assert rows(f"SELECT {key} FROM cleaned.{table} GROUP BY {key} HAVING count() > 1") == []
    assert served.get("/__ledger")["violations"] == []
    assert_no_secret_is_in_a_file(served)


def assert_posts_are_held(platform: str, before: Held, after: Held) -> None:
    """Every post that the server shows, with its text and its newest counters.

    Waiting moves the clock of the server, so a counter is what it was then, or has become since.
    """
    name = connector_of(platform).platform
    likes = dict(
        rows(
            "SELECT post_id, argMax(likes, collected_at) FROM cleaned.post_counters "
            f"WHERE platform = '{name}' AND likes IS NOT NULL GROUP BY post_id"
        )
    )
    posts = "SELECT DISTINCT account_id, post_id FROM cleaned.posts_collected"
    found = set(rows(f"{posts} WHERE platform = '{name}'"))
    first, last = shown_posts(before), shown_posts(after)
    assert set(first) & set(last) <= found
    assert found <= {
        (account, each["post_id"]) for account, of in after.items() for each in of["posts"]
    }
    for account, post in set(first) & set(last):
        told = [each[account, post]["counters"]["likes"] for each in (first, last)]
        if None not in told:
            assert min(told) <= likes[post] <= max(told), (platform, post)


def shown_posts(held: Held) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (account, post["post_id"]): post
        for account, of in held.items()
        for post in of["posts"]
        if not post["deleted_at"]
    }


def assert_comments_are_held(platform: str, before: Held, after: Held) -> None:
    """Every comment that the server showed all the time, and none that it never had."""
    name = connector_of(platform).platform
    found = {
        each
        for (each,) in rows(f"SELECT comment_id FROM cleaned.comments WHERE platform = '{name}'")
    }
    posts = {post for _, post in set(shown_posts(before)) & set(shown_posts(after))}
    first, last = (
        {
            each["comment_id"]
            for of in held.values()
            for each in of["comments"]
            if not each["deleted_at"] and each["post_id"] in posts
        }
        for held in (before, after)
    )
    assert first & last <= found, platform
    ever = {each["comment_id"] for of in after.values() for each in of["comments"]}
    assert len(found - ever) <= len(found) // 10, "those that were deleted since"


def assert_no_secret_is_in_a_file(served: ServedPlatforms) -> None:
    """No token that the server gave is in a file of the home."""
    tokens = [
        value.encode()
        for given in served.get("/__tokens").values()
        for account in given["accounts"].values()
        for name, value in account.items()
        if name in ("access_token", "refresh_token") and value
    ]
    assert tokens
    for path in served.home.path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [token for token in tokens if token in content], path
