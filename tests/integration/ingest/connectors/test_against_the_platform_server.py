"""What is collected from the platform server of the tests is what it holds, faults or none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.demo.platforms.process import platform_server
from social_assets.ingest.connectors.chain import ChainEnd, ChainStart
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.errors import PlatformDownError, TokenRevokedError
from social_assets.ingest.connectors.registry import connector_of

POSTS = {
    "instagram": "media",
    "facebook": "posts",
    "x": "posts",
    "tiktok": "video_list",
    "youtube": "videos",
}
COMMENTS = ("instagram", "facebook", "x", "youtube")


@dataclass
class ServedPlatforms:
    """The server, and the clock that both sides go by: waiting moves it."""

    url: str
    waited: float = 0.0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.waited)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        httpx.post(f"{self.url}/__clock", json={"advance_seconds": seconds}).raise_for_status()

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path).raise_for_status().json()

    def truth(self, platform: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/__truth?platform={platform}")["platforms"][platform]
        return found

    def add_credentials(self, platform: str, credentials: PlatformCredentials) -> None:
        given = self.get("/__tokens")[platform]
        client = (given["clients"] or [{"client_id": None, "client_secret": None}])[0]
        for account, tokens in given["accounts"].items():
            found = Tokens(
                tokens["access_token"],
                tokens.get("refresh_token"),
                client["client_id"],
                client["client_secret"],
            )
            credentials.add(connector_of(platform).platform, found, account)


@pytest.fixture(scope="module", params=[0.0, 0.1], ids=["no faults", "one fault in ten"])
def served(request: pytest.FixtureRequest) -> Iterator[ServedPlatforms]:
    with platform_server(seed=3, accounts=3) as url:
        rate = {"rate": request.param, "slow_seconds": 0.01, "kinds": KINDS}
        httpx.post(f"{url}/__faults", json=rate).raise_for_status()
        yield ServedPlatforms(url)


KINDS = dict.fromkeys(
    ("throttled", "error_500", "error_502", "error_503", "slow", "cut", "invalid_json"), 1
) | {"repeated_page": 1}


def collected(client: ConnectorClient, start: ChainStart) -> list[dict[str, Any]]:
    """The records of a chain; a chain that stops goes on from where it was."""
    records = []
    for _ in range(20):
        try:
            for item in client.pages(start):
                if isinstance(item, ChainEnd):
                    return records
                records += [json.loads(record) for record in item.records]
        except PlatformDownError as error:
            start = ChainStart(
                start.account,
                start.endpoint,
                parent_id=start.parent_id,
                since=error.end.since,
                resume=error.end.resume,
            )
    raise AssertionError("the chain did not end")


def ids_of(record: dict[str, Any]) -> set[str]:
    """A comment's id and those of the replies that it holds."""
    held = record.get("replies") or {}
    return {record["id"], *(each["id"] for each in held.get("data", held.get("comments", ())))}


def posts_of(truth: dict[str, Any]) -> set[str]:
    return {each["post_id"] for each in truth["posts"] if not each["deleted_at"]}


CLOCKS_DIFFER = timedelta(minutes=1)
"""The server's clock counts whole seconds, also in each wait that moves it."""


def comments_of(
    truth: dict[str, Any], posts: set[str], first: datetime, last: datetime | None = None
) -> set[str]:
    return {
        each["comment_id"]
        for each in truth["comments"]
        if not each["deleted_at"]
        and each["post_id"] in posts
        and first < datetime.fromisoformat(each["published_at"])
        and (last is None or datetime.fromisoformat(each["published_at"]) <= last)
    }


def assert_is_held(found: set[str], before: set[str], after: set[str]) -> None:
    """What is found is what the server held all the time; and perhaps what came or went while a
    wait moved the clock.
    """
    assert before & after <= found <= before | after


@pytest.mark.parametrize("platform", POSTS)
def test_posts_and_comments_are_those_of_the_server(
    platform: str,
    served: ServedPlatforms,
    home: Home,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(f"SOCIAL_ASSETS_{platform.upper()}_URL", f"{served.url}/{platform}")
    served.add_credentials(platform, PlatformCredentials(engine, home, served))
    connector = connector_of(platform)
    with ConnectorClient(
        connector, home, engine, clock=served, sleep=served.sleep, patience=1e6
    ) as client:
        for account, before in served.truth(platform).items():
            asked = Account(connector.platform, account)
            posts = collected(client, ChainStart(asked, POSTS[platform]))
            held = {each["id"] for each in posts}
            assert_is_held(held, posts_of(before), posts_of(served.truth(platform)[account]))
            if platform not in COMMENTS:
                continue
            earlier = served.truth(platform)[account]
            # The search of X goes back for seven days.
            first = served() - timedelta(days=7 if platform == "x" else 10_000)
            began = served()
            found: set[str] = set()
            for post in held:
                comments = collected(client, ChainStart(asked, "comments", parent_id=post))
                found = found.union(*map(ids_of, comments))
            after = served.truth(platform)[account]
            first_now = first + (served() - began)
            assert_is_held(
                found - comments_of(earlier, held, first - CLOCKS_DIFFER, first),
                comments_of(earlier, held, first),
                comments_of(after, held, first_now),
            )
    assert served.get("/__ledger")["violations_total"] == 0


PROFILES = {
    "instagram": "user",
    "facebook": "page",
    "x": "user",
    "tiktok": "user_info",
    "youtube": "channels",
}
RENEWED = ("x", "tiktok", "youtube")


@pytest.mark.parametrize("platform", PROFILES)
def test_an_expired_token_is_renewed_and_a_revoked_one_is_told(
    platform: str, home: Home, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform_server(seed=3, accounts=2) as url:
        served = ServedPlatforms(url)
        monkeypatch.setenv(f"SOCIAL_ASSETS_{platform.upper()}_URL", f"{url}/{platform}")
        store = PlatformCredentials(engine, home)
        served.add_credentials(platform, store)
        name = connector_of(platform).platform
        first, second = (Account(name, each) for each in served.truth(platform))

        def change(action: str) -> None:
            given = {"platform": platform, "account": first.account_id, "action": action}
            httpx.post(f"{url}/__tokens", json=given).raise_for_status()

        with ConnectorClient(connector_of(platform), home, engine) as client:
            start, other = (ChainStart(each, PROFILES[platform]) for each in (first, second))
            if platform in RENEWED:
                change("expire")
                assert len(collected(client, start)) == 1
            change("revoke")
            if platform in ("x", "youtube"):
                # What is public is asked for with another credential.
                assert len(collected(client, start)) == 1
            else:
                with pytest.raises(TokenRevokedError, match="let its owner authorize the app"):
                    collected(client, start)
            assert len(collected(client, other)) == 1
        revoked = {each.account_id: each.revoked_reason for each in store.list()}
    assert revoked[first.account_id]
    assert revoked[second.account_id] is None


PROCESS = """
import sys
from dataclasses import replace
from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.engine import open_engine
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.declaration.limits import Limit, Rolling
from social_assets.ingest.connectors.registry import connector_of

home = Home.from_environment()
# The window of the test is short; that ten calls fit into it, the headers tell.
connector = replace(connector_of("x"), limits=(Limit(900, Rolling(2), by_endpoint=True),))
with ConnectorClient(connector, home, open_engine(home), patience=60) as client:
    for _ in range(12):
        list(client.pages(ChainStart(Account("X", sys.argv[1]), "user")))
"""


def test_two_processes_keep_a_limit_that_only_headers_tell(
    home: Home, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform_server(seed=3, accounts=1) as url:
        served = ServedPlatforms(url)
        monkeypatch.setenv("SOCIAL_ASSETS_X_URL", f"{url}/x")
        limit = {"x.users.user": {"calls": 10, "seconds": 2}}
        httpx.post(f"{url}/__limits", json=limit).raise_for_status()
        served.add_credentials("x", PlatformCredentials(engine, home))
        (account,) = served.truth("x")
        command = [sys.executable, "-c", PROCESS, account]
        started = [subprocess.Popen(command, env=os.environ) for _ in range(2)]
        assert [each.wait(100) for each in started] == [0, 0]
        ledger = served.get("/__ledger")
    assert ledger["violations_total"] == 0
    assert sum(each["calls"] for each in ledger["calls"]) == 24
