"""A caller who walks every page and retries, through faults, gets exactly what the server holds."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.demo.platforms.calling import Caller

MOST_TRIES = 30
ACCOUNTS = 12
KINDS = [
    "throttled",
    "error_500",
    "error_502",
    "error_503",
    "cut",
    "invalid_json",
    "wrong_types",
    "repeated_page",
    "falling_counters",
]


@pytest.fixture
def faulty(caller: Caller) -> Caller:
    """A caller of the server of which every fifth call meets a fault."""
    caller.control("POST", "faults", rate=0.2, kinds=dict.fromkeys(KINDS, 1))
    return caller


class Walker:
    """Calls until a good answer comes."""

    def __init__(self, caller: Caller, platform: str) -> None:
        self.caller, self.platform = caller, platform
        tokens = caller.tokens(platform)["accounts"]
        self.tokens = {account: each["access_token"] for account, each in tokens.items()}
        self.faults = 0

    def body(self, account: str, path: str, **query: Any) -> Any:
        """Return a body in which records are records."""
        for _ in range(MOST_TRIES):
            try:
                token = self.tokens[account]
                answer = self.caller.call(self.platform, path, token=token, **query)
                found = answer.json()
            except (httpx.RemoteProtocolError, ValueError):
                self.faults += 1
                continue
            code = found.get("error", {}).get("code") if "error" in found else None
            is_throttled = answer.status_code >= 429 or code in (2, 4, 17, 32, 613, 80001, 80002)
            reasons = (
                [each.get("reason") for each in found.get("error", {}).get("errors", [])]
                if (self.platform == "youtube")
                else []
            )
            if is_throttled or "rateLimitExceeded" in reasons or "n/a" in found.values():
                self.faults += 1
                continue
            return found
        raise AssertionError(f"no good answer of {self.platform} {path}")


def wanted_posts(truth: Any) -> dict[str, Any]:
    return {p["post_id"]: p["counters"] for p in truth["posts"] if p["deleted_at"] is None}


def wanted_comments(truth: Any) -> set[tuple[str, str | None]]:
    return {
        (each["comment_id"], each["parent_id"])
        for each in truth["comments"]
        if each["deleted_at"] is None
    }


def test_x_gives_what_the_server_holds(faulty: Caller) -> None:
    walker = Walker(faulty, "x")
    for account in list(walker.tokens)[:ACCOUNTS]:
        posts: dict[str, Any] = {}
        query: dict[str, Any] = {"max_results": 5, "tweet.fields": "public_metrics"}
        while True:
            body = walker.body(account, f"2/users/{account}/tweets", **query)
            posts |= {each["id"]: each["public_metrics"] for each in body.get("data", [])}
            if not body.get("meta", {}).get("next_token"):
                break
            query["pagination_token"] = body["meta"]["next_token"]
        truth = faulty.truth("x", account)
        found = {
            name: {
                "likes": each["like_count"],
                "comments": each["reply_count"],
                "shares": each["retweet_count"],
                "views": each["impression_count"],
            }
            for name, each in posts.items()
        }
        assert found == ({} if truth["is_deleted"] else wanted_posts(truth))
    assert walker.faults > 0


def instagram_comments(walker: Walker, account: str, media: str) -> set[tuple[str, str | None]]:
    found: set[tuple[str, str | None]] = set()
    query: dict[str, Any] = {"fields": "id,parent_id,replies{id,parent_id}", "limit": 3}
    while True:
        body = walker.body(account, f"v23.0/{media}/comments", **query)
        for each in body["data"]:
            found.add((each["id"], each.get("parent_id")))
            replies = each.get("replies", {"data": []})["data"]
            found |= {(reply["id"], reply["parent_id"]) for reply in replies}
        if "next" not in body.get("paging", {}):
            return found
        query["after"] = body["paging"]["cursors"]["after"]


def test_instagram_gives_what_the_server_holds(faulty: Caller) -> None:
    walker = Walker(faulty, "instagram")
    for account in list(walker.tokens)[:ACCOUNTS]:
        truth = faulty.truth("instagram", account)
        if truth["is_deleted"]:
            continue
        posts: dict[str, Any] = {}
        query: dict[str, Any] = {"fields": "id,like_count,comments_count", "limit": 5}
        while True:
            body = walker.body(account, f"v23.0/{account}/media", **query)
            posts |= {each["id"]: each for each in body["data"]}
            if "next" not in body.get("paging", {}):
                break
            query["after"] = body["paging"]["cursors"]["after"]
        found = {
            name: (each.get("like_count"), each["comments_count"]) for name, each in posts.items()
        }
        wanted = wanted_posts(truth)
        assert found == {name: (c["likes"], c["comments"]) for name, c in wanted.items()}
        comments = [instagram_comments(walker, account, media) for media in posts]
        assert set().union(*comments) == wanted_comments(truth)
    assert walker.faults > 0


def test_facebook_and_youtube_give_the_comments_that_the_server_holds(faulty: Caller) -> None:
    facebook, youtube = Walker(faulty, "facebook"), Walker(faulty, "youtube")
    for account in list(facebook.tokens)[:4]:
        truth = faulty.truth("facebook", account)
        ids: set[str] = set()
        for post in () if truth["is_deleted"] else wanted_posts(truth):
            query: dict[str, Any] = {"fields": "id", "filter": "stream", "limit": 4}
            while True:
                body = facebook.body(account, f"v23.0/{post}/comments", **query)
                ids |= {each["id"] for each in body["data"]}
                if "next" not in body.get("paging", {}):
                    break
                query["after"] = body["paging"]["cursors"]["after"]
        assert ids == {name for name, _ in wanted_comments(truth)}
    for account in list(youtube.tokens)[:4]:
        truth = faulty.truth("youtube", account)
        found = set()
        for post, counters in wanted_posts(truth).items():
            if counters["comments"] is not None:
                found |= youtube_comments(youtube, account, post)
        assert found == wanted_comments(truth)


def youtube_comments(walker: Walker, account: str, video: str) -> set[tuple[str, str | None]]:
    found: set[tuple[str, str | None]] = set()
    query: dict[str, Any] = {"part": "snippet,replies", "videoId": video, "maxResults": 3}
    while True:
        body = walker.body(account, "v3/commentThreads", **query)
        for thread in body["items"]:
            found.add((thread["id"], None))
            replies = thread.get("replies", {"comments": []})["comments"]
            if thread["snippet"]["totalReplyCount"] > len(replies):
                of = {"part": "snippet", "parentId": thread["id"], "maxResults": 100}
                replies = walker.body(account, "v3/comments", **of)["items"]
            found |= {(reply["id"], thread["id"]) for reply in replies}
        if "nextPageToken" not in body:
            return found
        query["pageToken"] = body["nextPageToken"]


def test_a_reply_to_a_deleted_comment_is_gone_with_it(caller: Caller) -> None:
    account = caller.account("facebook", 2)
    comments = caller.truth("facebook", account)["comments"]
    reply = next(each for each in comments if each["parent_id"] and not each["deleted_at"])
    caller.control(
        "POST",
        "mutate",
        platform="facebook",
        action="delete_comment",
        comment=reply["parent_id"],
    )
    gone = caller.truth("facebook", account)["comments"]
    assert next(c for c in gone if c["comment_id"] == reply["comment_id"])["deleted_at"]
