"""Accounts and posts that a platform treats in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.demo.platforms.calling import Caller


def posts(caller: Caller, platform: str) -> Iterator[tuple[str, Any]]:
    """Give the token of the account and the post, for every post that is shown."""
    accounts = caller.control("GET", "truth", platform=platform)["platforms"][platform]
    tokens = caller.tokens(platform)["accounts"]
    for account, held in accounts.items():
        if not held["is_deleted"]:
            for post in held["posts"]:
                if post["deleted_at"] is None:
                    yield tokens[account]["access_token"], post


@pytest.mark.parametrize(
    ("code", "subcode", "said"),
    [(10, None, "Not enough viewers"), (100, 2108006, "Invalid parameter")],
)
def test_instagram_refuses_insights_of_some_media(
    caller: Caller, code: int, subcode: int | None, said: str
) -> None:
    for token, post in posts(caller, "instagram"):
        path = f"v23.0/{post['post_id']}/insights"
        answer = caller.call("instagram", path, token=token, metric="reach")
        error = answer.json().get("error", {})
        if (error.get("code"), error.get("error_subcode")) == (code, subcode):
            assert (answer.status_code, said in error["message"]) == (400, True)
            return
    raise AssertionError("no such media in the world of this seed")


def test_youtube_leaves_out_hidden_counts_and_refuses_comments_switched_off(
    caller: Caller,
) -> None:
    hidden = off = 0
    for token, post in posts(caller, "youtube"):
        counters, video = post["counters"], post["post_id"]
        if counters["likes"] is not None and counters["comments"] is not None:
            continue
        body = caller.call("youtube", "v3/videos", token=token, part="statistics", id=video).json()
        statistics = body["items"][0]["statistics"]
        assert ("likeCount" in statistics) == (counters["likes"] is not None)
        assert ("commentCount" in statistics) == (counters["comments"] is not None)
        hidden += "likeCount" not in statistics
        if counters["comments"] is None:
            off += 1
            answer = caller.call(
                "youtube", "v3/commentThreads", token=token, part="snippet", videoId=video
            )
            assert answer.status_code == 403
            assert answer.json()["error"]["errors"][0]["reason"] == "commentsDisabled"
    assert hidden > 0 < off


def test_a_deleted_account_is_unknown_to_its_platform(caller: Caller) -> None:
    wanted = {"instagram": 400, "facebook": 400, "x": 200, "tiktok": 401, "youtube": 200}
    paths = {"x": "2/users/me", "tiktok": "v2/user/info/", "youtube": "v3/channels"}
    for platform, status in wanted.items():
        account = caller.account(platform, 5)
        token = caller.tokens(platform)["accounts"][account]["access_token"]
        caller.control(
            "POST", "mutate", platform=platform, action="account", account=account, is_deleted=True
        )
        answer = caller.call(
            platform, paths.get(platform, account), token=token, part="id", id=account, fields="id"
        )
        assert answer.status_code == status, (platform, answer.text)
        assert not {"data", "items"} & {k for k, v in answer.json().items() if v}


def test_a_post_published_by_hand_and_its_comment_are_shown_at_once(caller: Caller) -> None:
    account = caller.account("instagram")
    post = caller.control(
        "POST", "mutate", platform="instagram", action="publish", account=account, text="Hello"
    )["id"]
    comment = caller.control(
        "POST", "mutate", platform="instagram", action="comment", post=post, text="Nice"
    )["id"]
    media = caller.good("instagram", f"{account}/media", fields="id,caption,comments_count")
    assert media["data"][0] == {"id": post, "caption": "Hello", "comments_count": 1}
    assert caller.good("instagram", f"{post}/comments")["data"][0]["id"] == comment
    caller.control("POST", "mutate", platform="instagram", action="delete_post", post=post)
    assert caller.call("instagram", post).status_code == 400
